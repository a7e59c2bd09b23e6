"""The routes of every part of operations."""

from lineshaft.operations.alarms import routes as alarms
from lineshaft.operations.calendars import routes as calendars
from lineshaft.operations.derived import routes as derived
from lineshaft.operations.frames import routes as frames
from lineshaft.operations.kpis import routes as kpis
from lineshaft.operations.notices import routes as notices
from lineshaft.operations.spc import routes as spc
from lineshaft.operations.states import routes as states

handlers = [
    *alarms.handlers,
    *derived.handlers,
    *notices.handlers,
    *spc.handlers,
    *states.handlers,
    *calendars.handlers,
    *kpis.handlers,
    *frames.handlers,
]
