"""The routes of every part of operations."""

from lineshaft.operations.alarms import routes as alarms
from lineshaft.operations.states import routes as states

handlers = [*alarms.handlers, *states.handlers]
