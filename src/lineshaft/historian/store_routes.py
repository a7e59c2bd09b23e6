"""The store over HTTP: delete samples, verify, back up, enforce retention."""

from pathlib import Path

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Denied, Missing, Refused
from lineshaft.core.event import Event
from lineshaft.core.path import SYSTEM, is_under
from lineshaft.historian import Historian
from lineshaft.historian.corrections import Changed, Deletion
from lineshaft.historian.retention import GB, event_of
from lineshaft.stores import Retained, Verified
from lineshaft.web import post, times


@post(
    "/samples/delete",
    action=Action.CONFIGURE,
    summary="Delete samples",
    tags=["values"],
    status_code=200,
)
async def delete_samples(
    historian: Historian, who: Identity, authorizer: Authorizer, data: Deletion
) -> Changed:
    """Delete the samples of points in a span, with a reason; on record before and after."""
    for path in dict.fromkeys(data.points):
        if is_under(path, SYSTEM):
            raise Denied(
                f"{path!r} is what the platform says of itself, nobody may delete it",
                remedy=f"Leave out the points below {SYSTEM}/.",
            )
        if not authorizer.allows(who, Action.CONFIGURE, path):
            raise Denied(
                f"{who.name} may not delete data of {path!r}",
                remedy="Ask an administrator to widen your branches.",
            )
        if historian.namespace.find(path) is None:
            raise Missing(f"there is no point {path!r}")
    span = times.span_ns(data.start, data.stop)
    return await historian.corrections.delete(data.points, span, reason=data.reason, by=who.name)


@post(
    "/store/verify",
    action=Action.ADMINISTER,
    summary="Check every file of the store",
    tags=["system"],
    status_code=200,
)
async def verify(historian: Historian) -> Verified:
    """Hold all files against their checksums; damaged segments are put aside."""
    return await historian.store.verify()


@post(
    "/store/backup",
    action=Action.ADMINISTER,
    summary="Back the store up",
    tags=["system"],
    status_code=200,
)
async def backup(historian: Historian, who: Identity) -> Verified:
    """Bring the backup folder, which only the settings name, up to this moment's state."""
    folder = historian.config.backup
    if not folder:
        raise Refused(
            "no folder for backups is set",
            remedy='Set it in the settings file: [historian] backup = "/mnt/backup/plant".',
        )
    done = await historian.store.backup(str(Path(folder)))
    event = Event(
        kind="store.backed_up",
        actor=who.name,
        data={"files": done.files, "bytes": done.bytes, "findings": len(done.findings)},
    )
    await historian.corrections.note(event)
    return done


@post(
    "/store/retain",
    action=Action.ADMINISTER,
    summary="Enforce retention now",
    tags=["system"],
    status_code=200,
)
async def retain(historian: Historian, who: Identity, *, dry: bool = True) -> Retained:
    """Delete what the settings do not keep; `dry`, unless said otherwise, only tells what."""
    config = historian.config
    budget = round(config.disk_gb_max * GB)
    done = await historian.store.retain(config.rules(), budget, dry=dry)
    if not dry:
        await historian.corrections.note(event_of(done, who.name))
    return done


handlers = (delete_samples, verify, backup, retain)
