"""The routes of every part of operations."""

from lineshaft.operations.alarms import routes as alarms

handlers = [*alarms.handlers]
