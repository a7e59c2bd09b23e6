"""From a topic and a payload to samples: which points a message feeds, and with what."""

import enum
import math
import re
from collections.abc import Container, Iterator
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Sample, columns_of
from lineshaft.core.clock import from_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path, clean_level
from lineshaft.core.point import Kind, Point, Value
from lineshaft.core.quality import Quality
from lineshaft.core.settings import Settings
from lineshaft.drivers import PointSettings

DEPTH_MAX = 12
CODE_MAX = 0xFFFF_FFFF
YEAR_2000_NS = 946_684_800_000_000_000

Keys = tuple[str | int, ...]
Json = Any
"""A decoded JSON value: its shape is what the device likes."""


class Payload(enum.Enum):
    """What a payload is."""

    JSON = "json"
    NUMBER = "number"
    TEXT = "text"


class TimeFormat(enum.Enum):
    """How a time is written."""

    ISO = "iso"
    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


_NS = {TimeFormat.S: 10**9, TimeFormat.MS: 10**6, TimeFormat.US: 10**3, TimeFormat.NS: 1}


class TimeKey(Settings, frozen=True, kw_only=True):
    """Where a JSON payload says when it was measured."""

    key: str
    """Path into the JSON, like `header.ts`."""
    format: TimeFormat = TimeFormat.ISO
    """`iso` (RFC 3339 text), or seconds `s`, `ms`, `us`, `ns` since 1970."""


class QualityFormat(enum.Enum):
    """How a quality is written."""

    UA = "ua"
    CLASSIC = "classic"


class QualityKey(Settings, frozen=True, kw_only=True):
    """Where a JSON payload says how good its values are."""

    key: str
    """Path into the JSON."""
    format: QualityFormat = QualityFormat.UA
    """Figures are status codes of OPC UA (`ua`, 0 is good) or of the older OPC (`classic`, 192
    is good); the words `good`, `uncertain`, `bad`, and true and false, do with both."""


class MqttPoint(PointSettings, frozen=True, kw_only=True):
    """One point and where the payload carries it."""

    key: str = ""
    """Path into the JSON, like `a.b[0].c` or `a["odd.key"]`; empty for the whole payload."""
    kind: Kind | None = None
    """`number`, `integer`, `boolean`, `text` or `json`; when left out, what the first one is."""
    command: str = ""
    """Topic to publish to when the point is written, with the same `{1}` as in `at`; empty when
    it cannot be written."""
    command_key: str = ""
    """Name in the JSON object that is published; empty publishes the bare value."""


class TopicSettings(Settings, frozen=True, kw_only=True):
    """One filter and what its messages say."""

    filter: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    """Topic filter with `+` and `#`; of several that fit a topic, the first in the list counts."""
    qos: Annotated[int, msgspec.Meta(ge=0, le=1)] = 1
    """1: the broker keeps each message until it is stored here; 0: at most once."""
    payload: Payload = Payload.JSON
    """`json`, `number` or `text`."""
    at: str = "{topic}"
    """Where its points stand below the driver's `at`: `{1}` is the first level of the topic,
    `{topic}` all of them."""
    values: list[MqttPoint] | Literal["*"] = "*"
    """The points in a payload; `*` makes one of every number, text and boolean in it."""
    time: TimeKey | None = None
    """Where the payload says its time; without it the time is that of our clock on arrival, and a
    message that is delivered twice counts twice."""
    quality: QualityKey | None = None
    """Where the payload says its quality."""

    def __post_init__(self) -> None:
        levels = self.filter.split("/")
        if any(("#" in x and x != "#") or ("+" in x and x != "+") for x in levels) or (
            "#" in levels[:-1]
        ):
            raise ValueError(f"{self.filter!r} is no topic filter: + and # stand alone, # is last")
        is_json = self.payload is Payload.JSON
        if not is_json and (self.time or self.quality):
            raise ValueError(f"{self.filter}: time and quality need payload json")
        values = () if self.values == "*" else self.values
        for value in values:
            parse_key(value.key)
            try:
                value.point("", kind=Kind.NUMBER, source="", address="")
            except Invalid as error:
                raise ValueError(f"{self.filter}: {error} {error.remedy}") from None
            if value.key and not is_json:
                raise ValueError(f"{self.filter}: {value.name}: key needs payload json")
        for key in (self.time, self.quality):
            if key:
                parse_key(key.key)


_KEY = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["([^"]*)"\]')


def parse_key(text: str) -> Keys:
    """The steps of a path into JSON.

    Raises:
        ValueError: it is no path.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _KEY.match(text, at)
        if found is None or found.end() == at:
            raise ValueError(f"{text!r} is no path into JSON; write it like a.b[0].c")
        steps.append(int(found[2]) if found[2] else found[1] or found[3])
        at = found.end()
    return tuple(steps)


def dig(value: Json, keys: Keys, absent: Json) -> Json:
    """The value at the path, or `absent`."""
    for key in keys:
        if isinstance(key, int):
            if not isinstance(value, list) or key >= len(value):
                return absent
            value = value[key]
        elif isinstance(value, dict):
            value = value.get(key, absent)
        else:
            return absent
    return value


def leaves(value: Json, keys: Keys = ()) -> Iterator[tuple[Keys, Json]]:
    """Every scalar in the JSON with the path to it.

    Raises:
        Invalid: it is nested too deep.
    """
    if len(keys) > DEPTH_MAX:
        raise Invalid(f"JSON is nested deeper than {DEPTH_MAX}")
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*keys, place))
    else:
        yield keys, value


def expand(template: str, levels: list[str]) -> str:
    """The template with the levels of a topic in place of `{1}`, `{2}`, … and `{topic}`.

    Raises:
        Invalid: the topic has no such level.
    """

    def level(found: re.Match[str]) -> str:
        if found[1] == "topic":
            return "/".join(levels)
        place = int(found[1])
        if not 1 <= place <= len(levels):
            raise Invalid(f"topic {'/'.join(levels)} has no level {place}")
        return levels[place - 1]

    return re.sub(r"\{(\d+|topic)\}", level, template)


def time_of(value: Json, how: TimeFormat, now: int, future_max_s: float) -> int | None:
    """Nanoseconds since the epoch, or None when it is no time that can be believed."""
    try:
        if how is TimeFormat.ISO:
            time_ns = from_iso(value) if isinstance(value, str) else 0
        elif isinstance(value, bool) or not isinstance(value, int | float):
            return None
        else:
            time_ns = value * _NS[how] if isinstance(value, int) else round(value * _NS[how])
    except (Invalid, OverflowError, ValueError):
        return None
    return time_ns if YEAR_2000_NS <= time_ns <= now + int(future_max_s * 1e9) else None


def quality_of(value: Json, how: QualityFormat) -> int:
    """The status code that the payload's quality stands for; what cannot be read is uncertain."""
    words = {"good": 0, "true": 0, "uncertain": 0x4000_0000, "bad": 0x8000_0000, "false": 1 << 31}
    if isinstance(value, str | bool):
        return words.get(str(value).lower(), int(Quality.UNCERTAIN))
    if not isinstance(value, int) or not 0 <= value <= CODE_MAX:
        return int(Quality.UNCERTAIN)
    if how is QualityFormat.UA:
        return value
    # OPC 10000-8, Annex A: bits 7 and 6 of the older code are the severity.
    return (0x8000_0000, 0x4000_0000, 0x8000_0000, 0)[(value >> 6) & 3]


class Leaf:
    """One point that a topic feeds."""

    __slots__ = ("address", "kind", "path", "settings", "told", "was_seen")

    def __init__(self, path: str, address: str, settings: MqttPoint | None) -> None:
        self.path = path
        self.address = address
        """Topic, and the way into its JSON."""
        self.settings = settings
        self.kind: Kind | None = settings.kind if settings else None
        self.was_seen = False
        """Whether a message has ever said it."""
        self.told: Kind | None = None
        """The kind that it was declared with."""

    def point(self, source: str) -> Point:
        """The point as the namespace knows it."""
        kind = self.kind or Kind.NUMBER
        if self.settings is None:
            return Point(path=self.path, kind=kind, source=source, address=self.address)
        plain = self.settings.point("", kind=kind, source=source, address=self.address)
        return msgspec.structs.replace(plain, path=self.path)

    def value(self, raw: Json) -> Value | None:
        """The raw value as the point's kind wants it; None when it is not of that kind."""
        if self.kind is None:
            self.kind = _kind_of(raw)
        match self.kind:
            case Kind.TEXT:
                return raw if isinstance(raw, str) else None
            case Kind.JSON:
                return msgspec.json.encode(raw).decode()
            case Kind.BOOLEAN:
                return bool(raw) if isinstance(raw, bool) or raw in (0, 1) else None
            case Kind.INTEGER | Kind.ENUM | Kind.NUMBER:
                return _number(raw, whole=self.kind is not Kind.NUMBER)


def _kind_of(raw: Json) -> Kind:
    if isinstance(raw, bool):
        return Kind.BOOLEAN
    if isinstance(raw, str):
        return Kind.TEXT
    return Kind.JSON if isinstance(raw, dict | list) else Kind.NUMBER


def _number(raw: Json, *, whole: bool) -> int | float | None:
    if isinstance(raw, str):
        try:
            return int(raw) if whole else float(raw)
        except ValueError:
            return None
    if not isinstance(raw, int | float):
        return None
    if whole and isinstance(raw, float):
        return int(raw) if math.isfinite(raw) and raw.is_integer() else None
    return raw


class Columns:
    """Samples on their way into one batch."""

    def __init__(self, watched: Container[str] = ()) -> None:
        self._watched = watched
        self.seen: list[Sample] = []
        """The samples of watched points."""
        self._places: dict[str, int] = {}
        self._index: list[int] = []
        self._times: list[int] = []
        self._numbers: list[float | None] = []
        self._texts: list[str | None] = []
        self._codes: list[int] = []

    def __len__(self) -> int:
        return len(self._index)

    def add(self, sample: Sample) -> None:
        """One more row."""
        if sample.point in self._watched:
            self.seen.append(sample)
        number, text = columns_of(sample.value)
        self._index.append(self._places.setdefault(sample.point, len(self._places)))
        self._times.append(sample.time_ns)
        self._numbers.append(number)
        self._texts.append(text)
        self._codes.append(sample.quality)

    def batch(self) -> Batch:
        """All rows, in the order they came."""
        return Batch.of(
            list(self._places),
            self._index,
            self._times,
            number=pa.array(self._numbers, pa.float64()),
            text=self._texts,
            quality=np.array(self._codes, dtype=np.uint32),
        )


def path_of(at: str, place: str, name: str) -> str:
    """The joined path, checked.

    Raises:
        Invalid: it is no path.
    """
    return check_path("/".join(part for part in (at, place, name) if part))


def name_of(keys: Keys) -> str:
    """The levels that a scalar of a JSON gets for a name."""
    return "/".join(clean_level(str(key)) for key in keys)
