"""The routes of every part of operations."""

from lineshaft.operations.alarms import routes as alarms
from lineshaft.operations.frames import routes as frames

handlers = [*alarms.handlers, *frames.handlers]
