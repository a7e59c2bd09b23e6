"""Points of an HTTP device: where their values stand in an answer, and how they are written."""

import enum
import math
from typing import Annotated, Any, Literal
from urllib.parse import urljoin, urlsplit

import msgspec

from lineshaft.core.batch import Sample
from lineshaft.core.clock import from_iso, now_ns
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Value
from lineshaft.core.quality import Quality
from lineshaft.core.settings import Settings
from lineshaft.drivers import PointSettings
from lineshaft.drivers.http.asking import Ask

YEAR_2000_NS = 946_684_800_000_000_000
NUMBERS = (Kind.NUMBER, Kind.INTEGER, Kind.ENUM)
SLOT = "$value"
"""What stands in a body for the value that is written."""
ABSENT: Any = object()


class Payload(enum.Enum):
    """What an answer is."""

    JSON = "json"
    TEXT = "text"


class TimeFormat(enum.Enum):
    """How a time is written."""

    ISO = "iso"
    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


_NS = {TimeFormat.S: 10**9, TimeFormat.MS: 10**6, TimeFormat.US: 10**3, TimeFormat.NS: 1}


class HttpTime(Settings, frozen=True, kw_only=True):
    """Where an answer says when its value was measured."""

    pointer: str
    """JSON pointer, like `/header/ts`."""
    format: TimeFormat = TimeFormat.ISO
    """`iso` (RFC 3339 text), or seconds `s`, `ms`, `us`, `ns` since 1970."""


class HttpWrite(Settings, frozen=True, kw_only=True):
    """How a point is set."""

    method: Literal["PUT", "POST", "PATCH"] = "PUT"
    """Method of the request."""
    href: str = ""
    """Address below `base_url`; that of reading when left out."""
    body: str = SLOT
    """What is sent, with `$value` where the value goes: as JSON, or bare if the point's payload
    is text."""
    content_type: str = "application/json"
    """Media type of the body."""

    def __post_init__(self) -> None:
        if SLOT not in self.body:
            raise ValueError(f"body {self.body[:40]!r} has no {SLOT}, so every value is the same")


class HttpPoint(PointSettings, frozen=True, kw_only=True):
    """One point and where the device tells it."""

    href: str = ""
    """Address below `base_url`, or a whole one of the same host."""
    method: Literal["GET", "POST"] = "GET"
    """Method of the request that reads it."""
    body: str = ""
    """For POST: what is sent."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Further headers of the request that reads or writes it; none of them may be a secret."""
    payload: Payload = Payload.JSON
    """`json`, or `text` when the whole answer is the value."""
    pointer: str = ""
    """JSON pointer to the value (RFC 6901), `/a/b/0`; empty for the whole answer."""
    kind: Kind = Kind.NUMBER
    """`number`, `integer`, `boolean`, `text` or `json`."""
    scale: float = 1.0
    """The value is what the device sends × `scale` + `offset`."""
    offset: float = 0.0
    """Added after scaling, in `unit`."""
    time: HttpTime | None = None
    """Where the answer says its time; our clock's when left out."""
    poll_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds from one reading to the next, when they are not those of the device."""
    write: HttpWrite | None = None
    """How it is set; `write = {}` sends the bare value to `href` with PUT."""

    def __post_init__(self) -> None:
        steps(self.pointer)
        if self.time:
            steps(self.time.pointer)
        if self.payload is Payload.TEXT and (self.pointer or self.time):
            raise ValueError(f"{self.name}: pointer and time need payload json")
        if self.body and self.method == "GET":
            raise ValueError(f"{self.name}: a GET has no body")
        if self.scale == 0 or not math.isfinite(self.scale) or not math.isfinite(self.offset):
            raise ValueError(f"{self.name}: scale is {self.scale}, offset {self.offset}")
        if self.is_scaled and self.kind not in NUMBERS:
            raise ValueError(f"{self.name}: a {self.kind.value} has neither scale nor offset")

    @property
    def is_scaled(self) -> bool:
        """Whether the device's figure is not the value itself."""
        return self.scale != 1.0 or self.offset != 0.0

    @property
    def place(self) -> str:
        """Where it stands, for people: `GET live#/power`."""
        pointer = f"#{self.pointer}" if self.pointer else ""
        return f"{self.method} {self.href or '.'}{pointer}"

    @property
    def ask(self) -> Ask:
        """The request that reads it; equal for all points that one request serves."""
        return Ask(self.method, self.href, self.body.encode(), tuple(self.headers.items()))


def same_origin(base: str, href: str) -> bool:
    """Whether the address leads to scheme, host and port of the base, and carries no user."""
    ours, theirs = urlsplit(base), urlsplit(urljoin(base, href))
    try:
        return (ours.scheme, ours.hostname, ours.port) == (
            theirs.scheme,
            theirs.hostname,
            theirs.port,
        ) and theirs.username is None
    except ValueError:  # a port that is none
        return False


def steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer. Source: RFC 6901.

    Raises:
        ValueError: it is none.
    """
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is no JSON pointer; write it like /a/b/0")
    return [s.replace("~1", "/").replace("~0", "~") for s in pointer[1:].split("/")]


def dig(value: Any, pointer: str) -> Any:  # noqa: ANN401 - JSON
    """The value that the pointer leads to, or `ABSENT`."""
    for step in steps(pointer):
        if isinstance(value, dict):
            value = value.get(step, ABSENT)
        elif isinstance(value, list) and step.isascii() and step.isdecimal():
            value = value[int(step)] if len(step) < 8 and int(step) < len(value) else ABSENT  # noqa: PLR2004
        else:
            return ABSENT
    return value


def extract(
    point: HttpPoint, path: str, body: bytes, future_max_s: float
) -> tuple[Sample, str | None]:
    """The sample that an answer holds for the point, and what is wrong with it."""
    try:
        content = decoded(point.payload, body)
    except Invalid as error:
        return Sample(path, now_ns(), None, int(Quality.BAD_DECODING_ERROR)), str(error)
    return pick(point, path, content, future_max_s)


def decoded(payload: Payload, body: bytes) -> Any:  # noqa: ANN401 - JSON
    """What an answer says.

    Raises:
        Invalid: it is not what it should be.
    """
    try:
        if payload is Payload.TEXT:
            return body.decode().strip()
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the answer {body[:40]!r} is not {payload.value}: {error}") from None


def pick(
    point: HttpPoint,
    path: str,
    content: Any,  # noqa: ANN401 - JSON
    future_max_s: float,
) -> tuple[Sample, str | None]:
    """The point's sample from a decoded answer, and what is wrong with it."""
    now = now_ns()
    time_ns, quality, problem = now, 0, None
    if point.time:
        given = _time(dig(content, point.time.pointer), point.time.format, now, future_max_s)
        if given is None:
            quality = int(Quality.UNCERTAIN_SUB_NORMAL)
            problem = "its time cannot be believed; our clock's is used"
        else:
            time_ns = given
    raw = dig(content, point.pointer)
    if raw is ABSENT:
        return Sample(path, time_ns, None, int(Quality.BAD_NODE_ID_UNKNOWN)), (
            f"the answer has nothing at {point.pointer!r}"
        )
    if raw is None:
        return Sample(path, time_ns, None, int(Quality.BAD_NO_DATA)), problem
    value = _value(point, raw)
    if value is None:
        return Sample(path, time_ns, None, int(Quality.BAD_TYPE_MISMATCH)), (
            f"{str(raw)[:40]!r} is not of kind {point.kind.value}"
        )
    return Sample(path, time_ns, value, quality), problem


def _value(point: HttpPoint, raw: Any) -> Value | None:  # noqa: ANN401 - JSON
    match point.kind:
        case Kind.TEXT:
            return raw if isinstance(raw, str) else None
        case Kind.JSON:
            return msgspec.json.encode(raw).decode()
        case Kind.BOOLEAN:
            words = {"true": True, "1": True, "false": False, "0": False}
            known = words.get(raw.lower()) if isinstance(raw, str) else raw
            return bool(known) if known in (0, 1) else None
        case Kind.INTEGER | Kind.ENUM | Kind.NUMBER:
            return _scaled(point, _number(raw))


def _scaled(point: HttpPoint, number: float | None) -> float | None:
    """The number in the point's unit; None when it is not whole and should be."""
    if number is None:
        return None
    if point.is_scaled:
        return number * point.scale + point.offset
    if point.kind is Kind.NUMBER or isinstance(number, int):
        return number
    return int(number) if number.is_integer() else None


def _number(raw: Any) -> int | float | None:  # noqa: ANN401 - JSON
    if isinstance(raw, str):
        try:
            return int(raw)
        except ValueError:
            try:
                return float(raw)
            except ValueError:
                return None
    return raw if isinstance(raw, int | float) and not isinstance(raw, bool) else None


def _time(raw: Any, how: TimeFormat, now: int, future_max_s: float) -> int | None:  # noqa: ANN401
    """Nanoseconds since the epoch, or None when it is no time that can be believed."""
    try:
        if how is TimeFormat.ISO:
            time_ns = from_iso(raw) if isinstance(raw, str) else 0
        elif isinstance(raw, bool) or not isinstance(raw, int | float):
            return None
        else:
            time_ns = raw * _NS[how] if isinstance(raw, int) else round(raw * _NS[how])
    except (Invalid, OverflowError, ValueError):
        return None
    return time_ns if YEAR_2000_NS <= time_ns <= now + int(future_max_s * 1e9) else None


def body_for(point: HttpPoint, value: Value) -> bytes:
    """What is sent to set the point.

    Raises:
        Invalid: the point cannot hold the value.
    """
    assert point.write  # noqa: S101 - the caller has looked
    if point.kind in NUMBERS:
        wanted: Value = _raw(point, value)
    elif point.kind is Kind.BOOLEAN:
        if value not in (0, 1):
            raise Invalid(f"{point.name} takes true and false, not {value!r}")
        wanted = bool(value)
    elif isinstance(value, str):
        wanted = value
    else:
        raise Invalid(f"{point.name} takes text, not {value!r}")
    is_bare = isinstance(wanted, str) and (point.payload is Payload.TEXT or point.kind is Kind.JSON)
    text = str(wanted) if is_bare else msgspec.json.encode(wanted).decode()
    return point.write.body.replace(SLOT, text).encode()


def _raw(point: HttpPoint, value: Value) -> float:
    """The figure that the device takes for the value."""
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise Invalid(f"{point.name} takes numbers, not {value!r}")
    raw = (value - point.offset) / point.scale if point.is_scaled else value
    if point.kind is Kind.NUMBER:
        return raw
    if abs(raw - round(raw)) > 1e-9 * max(1.0, abs(raw)):
        raise Invalid(f"{point.name} takes whole numbers, not {value!r}")
    return round(raw)
