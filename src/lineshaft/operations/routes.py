"""The routes of every part of operations."""

from lineshaft.operations.alarms import routes as alarms
from lineshaft.operations.spc import routes as spc

handlers = [*alarms.handlers, *spc.handlers]
