"""Routes of the twins: the standard's interface, and what it does not know below /api/v1/twins."""

from collections.abc import Mapping
from typing import cast

from litestar.types import ASGIApp

from lineshaft.core.access import Action
from lineshaft.twins import import_routes
from lineshaft.twins.access import routes as rule_routes
from lineshaft.twins.api import serving
from lineshaft.twins.api.services import Services
from lineshaft.twins.living import event_routes, handover_routes, version_routes
from lineshaft.twins.living import routes as life_routes
from lineshaft.twins.plug import routes as plug_routes
from lineshaft.web.front import Mount
from lineshaft.web.identify import Refusal

handlers = [
    *import_routes.handlers,
    *rule_routes.handlers,
    *event_routes.handlers,
    *handover_routes.handlers,
    *life_routes.handlers,
    *plug_routes.handlers,
    *version_routes.handlers,
]


def _served(services: Mapping[str, object]) -> ASGIApp:
    denied = cast(Refusal | None, services.get("denied"))
    return serving.served(cast(Services, services["twins"]), denied)


mounts = [Mount(serving.MOUNT, action=Action.LOOK, make=_served, fail=serving.fail)]
"""Given the plant's service `twins`, and `denied`, which keeps refusals on record."""
