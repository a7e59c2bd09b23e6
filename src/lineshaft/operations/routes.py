"""The routes of every part of operations."""

from lineshaft.operations.alarms import routes as alarms
from lineshaft.operations.notices import routes as notices

handlers = [*alarms.handlers, *notices.handlers]
