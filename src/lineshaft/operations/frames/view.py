"""Frames and templates as people see them."""

import msgspec

from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.frames.frame import Frame, Note, Value
from lineshaft.operations.frames.settings import Template


class FrameView(msgspec.Struct, frozen=True, kw_only=True):
    """A frame with all that is known of it."""

    key: str
    template: str
    asset: str
    kind: str
    level: str
    """Of ISA-88's procedural model; empty: none."""
    start_ns: int
    end_ns: int | None
    duration_s: float
    """Until now, while it is open."""
    cut: bool
    """It ended because it had lasted `max_s`."""
    severity: int
    attributes: dict[str, Value]
    parent: str
    """Key of the frame that it lies in; empty: none, or none to be seen."""
    reason: str
    """As people gave it, else that of the template."""
    note: Note | None


class FramePage(msgspec.Struct, frozen=True, kw_only=True):
    """Frames, the newest first."""

    items: list[FrameView]
    cursor: str = ""
    """For the next page; empty when this is the last."""


class TemplateView(msgspec.Struct, frozen=True, kw_only=True):
    """A template, and whom it is for now."""

    template: Template
    in_file: bool
    """Whether it stands in the settings file, where alone it can be changed."""
    assets: list[str]
    """Assets that are followed."""
    waiting: dict[str, str]
    """Assets that cannot be followed yet, and why."""


def view_of(
    frame: Frame, template: Template | None, parent: str, note: Note | None, now_ns: int
) -> FrameView:
    """A frame as people see it."""
    end_ns = now_ns if frame.end_ns is None else frame.end_ns
    given = note.reason if note else ""
    return FrameView(
        key=frame.key,
        template=frame.template,
        asset=frame.asset,
        kind=frame.kind,
        level=template.level if template else "",
        start_ns=frame.start_ns,
        end_ns=frame.end_ns,
        duration_s=max(end_ns - frame.start_ns, 0) / NS_PER_S,
        cut=frame.cut,
        severity=frame.severity,
        attributes=frame.attributes,
        parent=parent,
        reason=given or (template.reason if template else ""),
        note=note,
    )
