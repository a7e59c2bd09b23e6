"""The routes of every part of operations."""

from lineshaft.operations.alarms import routes as alarms
from lineshaft.operations.derived import routes as derived

handlers = [*derived.handlers, *alarms.handlers]
