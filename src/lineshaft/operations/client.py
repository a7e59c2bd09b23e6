"""What operations offers to Python programs; the client of a plant is one of these."""

import abc
import functools
from typing import Any

from lineshaft.operations.alarms.client import Alarms
from lineshaft.operations.derived.client import Derived
from lineshaft.operations.frames.client import Frames
from lineshaft.operations.kpis.client import Kpis
from lineshaft.operations.notices.client import Notices
from lineshaft.operations.spc.client import Charts
from lineshaft.operations.states.client import States


class Operations(abc.ABC):
    """The parts of operations, by name."""

    @abc.abstractmethod
    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Ask the plant: method and path below the API, options of httpx."""

    @functools.cached_property
    def derived(self) -> Derived:
        """Derived points: looked at, defined, checked, tried on history, recomputed."""
        return Derived(self._json)

    @functools.cached_property
    def alarms(self) -> Alarms:
        """Alarms: looked at, answered, defined, tried on history."""
        return Alarms(self._json)

    @functools.cached_property
    def kpis(self) -> Kpis:
        """Figures of ISO 22400: by shift, day, order, product; losses, reports, calendars."""
        return Kpis(self._json)

    @functools.cached_property
    def notices(self) -> Notices:
        """Notices: who is told of alarms, what waits, what was sent."""
        return Notices(self._json)

    @functools.cached_property
    def states(self) -> States:
        """States of work units: looked at, explained, corrected."""
        return States(self._json)

    @functools.cached_property
    def frames(self) -> Frames:
        """Event frames: found, compared, answered, defined, tried on history."""
        return Frames(self._json)

    @functools.cached_property
    def spc(self) -> Charts:
        """Control charts: looked at, defined, learned, commented on."""
        return Charts(self._json)
