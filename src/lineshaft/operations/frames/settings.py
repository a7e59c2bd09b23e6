"""What a template of event frames may say."""

import re
from typing import Annotated, Literal

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import LEVELS_MAX, check_path
from lineshaft.core.settings import Settings

NAME_CHARS_MAX = 100
ASSETS_MAX = 200
ATTRIBUTES_MAX = 50
TEXT_CHARS_MAX = 20_000
YEAR_S = 366 * 86_400
Take = Literal[
    "begin", "end", "last", "min", "max", "mean", "delta", "increase", "integral", "count"
]
_NAME = re.compile(r"[^|\x00-\x1f\x7f]{1,100}")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Attribute(Settings, frozen=True):
    """One value that a frame takes along."""

    name: str
    """Its name in the frame, a word: `mean_temperature`."""
    of: str
    """An expression: `temperature`, `power * 2.0`."""
    take: Take = "end"
    """`begin` and `end`: the value at that moment; `last`: the one before it ended; `min`, `max`;
    `mean`: weighted by time; `delta`: end less begin; `increase`: of a counter that may begin anew;
    `integral`: value times seconds; `count`: of samples."""
    unit: str = ""
    """UCUM code of the unit that `of` is converted to before it is taken; empty: its own."""


class Template(Settings, frozen=True):
    """What makes a frame. One table `[[frames]]` each."""

    name: str
    """Its own name; without `|`."""
    assets: tuple[str, ...]
    """Branches that it is for, each followed by itself; `*` stands for one level:
    `acme/*/line-1/cnc-*`."""
    begin: str
    """An expression. A truth: a frame opens as it becomes true. A number or a text: a frame opens
    with each new value (but an empty text), and what was open ends."""
    end: str = ""
    """An expression that is true or false: the frame ends as it becomes true. Empty: it ends when
    `begin` no longer holds."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Short names for expressions, with their paths: whole ones, or from the asset on as
    `./motor/speed` and `../power`. Points right below the asset have their own name."""
    kind: Literal["batch", "phase", "cycle", "stop", "excursion", "other"] = "other"
    """What its frames are to people."""
    level: Literal["", "procedure", "unit-procedure", "operation", "phase"] = ""
    """Level of ISA-88's procedural model."""
    parent: str = ""
    """Name of the template whose frames these lie in, on the same asset or one above it."""
    attributes: tuple[Attribute, ...] = ()
    """Values that its frames take along."""
    min_s: Annotated[float, msgspec.Meta(ge=0, le=YEAR_S)] = 0.0
    """Seconds that a frame must last; shorter ones are none."""
    max_s: Annotated[float, msgspec.Meta(gt=0, le=YEAR_S)] = 604_800.0
    """Seconds after which a frame that has no end is cut off, and marked so."""
    per_minute_max: Annotated[int, msgspec.Meta(ge=1, le=6_000)] = 120
    """Most frames of one asset that may begin in one minute; further ones are counted, not kept."""
    lateness_s: Annotated[float, msgspec.Meta(ge=0, le=3_600)] = 1.0
    """Seconds that samples may come after their time; what comes later has the span redone."""
    backfill_s: Annotated[float, msgspec.Meta(ge=0, le=10 * YEAR_S)] = 86_400.0
    """Seconds of history that an asset's frames are made from when it is followed first."""
    severity: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """How grave such a frame is, 1 to 1000 as for alarms; 0: it is not."""
    reason: str = ""
    """Code of the reason that its frames have unless somebody gives another."""
    description: str = ""
    """One sentence for people."""


def check_template(template: Template) -> Template:
    """The template itself, as far as it can be judged without the namespace.

    Raises:
        Invalid: it cannot be; the message names template and field.
    """
    what = f"frames {template.name[:40]!r}"
    if not _NAME.fullmatch(template.name) or template.name != template.name.strip():
        raise Invalid(
            f"{what}: the name has {len(template.name)} characters or holds `|`, wanted 1 to "
            f"{NAME_CHARS_MAX} printable ones",
            remedy="Give it a name without `|` and without blanks at the ends.",
        )
    if not 1 <= len(template.assets) <= ASSETS_MAX:
        raise Invalid(
            f"{what}: {len(template.assets)} assets, wanted 1 to {ASSETS_MAX}",
            remedy="Name the branches that it is for; `*` stands for one level.",
        )
    for asset in template.assets:
        _check_asset(what, asset)
    if not template.begin.strip() or len(template.begin) + len(template.end) > TEXT_CHARS_MAX:
        raise Invalid(f"{what}: begin is empty or too long", remedy="Write an expression.")
    if template.min_s > template.max_s:
        raise Invalid(
            f"{what}: min_s is {template.min_s:g}, wanted at most max_s, {template.max_s:g}",
            remedy="Shorten min_s.",
        )
    if template.parent == template.name:
        raise Invalid(f"{what}: it is its own parent", remedy="Name another template.")
    _check_attributes(what, template.attributes)
    return template


def _check_asset(what: str, asset: str) -> None:
    check_path(asset.replace("*", "x"))
    if asset.count("/") >= LEVELS_MAX:
        raise Invalid(f"{what}: asset {asset!r} has too many levels")


def _check_attributes(what: str, attributes: tuple[Attribute, ...]) -> None:
    if len(attributes) > ATTRIBUTES_MAX:
        raise Invalid(
            f"{what}: {len(attributes)} attributes, wanted at most {ATTRIBUTES_MAX}",
            remedy="Leave some out.",
        )
    seen: set[str] = set()
    for attribute in attributes:
        if not _WORD.fullmatch(attribute.name) or attribute.name in seen:
            raise Invalid(
                f"{what}: attribute {attribute.name[:40]!r} is no word, or stands twice",
                remedy="Letters, digits and _, each name once.",
            )
        seen.add(attribute.name)


def check_parents(templates: dict[str, Template]) -> None:
    """See that every parent exists and that none is its own ancestor.

    Raises:
        Invalid: one does not, or is.
    """
    for template in templates.values():
        here, seen = template, {template.name}
        while here.parent:
            if here.parent not in templates:
                raise Invalid(
                    f"frames {here.name!r}: there is no parent {here.parent!r}",
                    remedy="Define the parent first.",
                )
            here = templates[here.parent]
            if here.name in seen:
                raise Invalid(
                    f"frames {template.name!r}: its parents go round in a circle",
                    remedy="Take one parent out.",
                )
            seen.add(here.name)
