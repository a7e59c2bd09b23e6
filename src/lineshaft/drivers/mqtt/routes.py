"""Which points a topic feeds; remembers what it has seen, so that each message is quick."""

from collections.abc import Iterator, Sequence

import msgspec
from paho.mqtt.client import topic_matches_sub

from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid
from lineshaft.core.path import clean_level
from lineshaft.core.point import Point, Value
from lineshaft.core.quality import Quality, is_good
from lineshaft.drivers import Feed
from lineshaft.drivers.mqtt.payload import (
    Columns,
    Json,
    Keys,
    Leaf,
    MqttPoint,
    Payload,
    TopicSettings,
    dig,
    expand,
    leaves,
    name_of,
    parse_key,
    path_of,
    quality_of,
    time_of,
)

TROUBLES_MAX = 100
"""Topics in trouble that are told one by one; a flood of bad ones must not fill the memory."""
ABSENT: Json = object()


class Route:
    """One topic and the points that it feeds."""

    def __init__(self, topic: str, settings: TopicSettings, at: str) -> None:
        self.topic = topic
        self.settings = settings
        self.at = at
        self.levels = [clean_level(level) for level in topic.split("/")]
        self.place = expand(settings.at, self.levels)
        self.leaves: dict[Keys, Leaf] = {}
        self.is_open = settings.values == "*"
        """Whether every scalar makes a point."""
        self.time = parse_key(settings.time.key) if settings.time else None
        self.quality = parse_key(settings.quality.key) if settings.quality else None
        self.stored: int | None = None
        """Hash of the payload that was stored last, to know it when it comes again retained."""
        for value in () if settings.values == "*" else settings.values:
            address = f"{topic} {value.key}".rstrip()
            leaf = Leaf(path_of(at, self.place, value.name), address, value)
            # Several points may be made of one key; the name tells them apart.
            self.leaves[(*parse_key(value.key), value.name)] = leaf

    def command(self, leaf: Leaf) -> str:
        """Topic that sets the point; empty when it cannot be set."""
        if leaf.settings is None or not leaf.settings.command:
            return ""
        return expand(leaf.settings.command, self.topic.split("/"))


class Router:
    """All routes of a driver; they outlive a connection."""

    def __init__(
        self,
        topics: Sequence[TopicSettings],
        *,
        source: str,
        at: str,
        points_max: int,
        payload_max: int,
        future_max_s: float,
    ) -> None:
        self._topics = topics
        self._source = source
        self._at = at
        self._points_max = points_max
        self._payload_max = payload_max
        self._future_max_s = future_max_s
        self._routes: dict[str, Route] = {}
        self._feeds: dict[str, tuple[Route, Leaf]] = {}
        self._ill: set[str] = set()
        self._fresh: list[Point] = []
        for topic in topics:
            if "+" not in topic.filter and "#" not in topic.filter:
                self._route(topic.filter)

    # ---- what is known

    def find(self, path: str) -> tuple[Route, Leaf] | None:
        """Who feeds the point, if anybody has so far."""
        return self._feeds.get(path)

    def points(self) -> list[Point]:
        """Every point whose kind is known so far."""
        self._fresh.clear()
        known = [leaf for _, leaf in self._feeds.values() if leaf.kind is not None]
        for leaf in known:
            leaf.told = leaf.kind
        return [leaf.point(self._source) for leaf in known]

    def fresh(self) -> list[Point]:
        """Points found since it was last asked."""
        found, self._fresh = self._fresh, []
        return found

    # ---- messages

    def decode(
        self, topic: str, payload: bytes, columns: Columns, feed: Feed, *, is_retained: bool = False
    ) -> None:
        """Add the samples of a message; one that cannot be read is counted and told."""
        try:
            route = self._routes.get(topic) or self._route(topic)
            if not payload:
                feed.lost("empty")
                return
            if is_retained and route.stored == hash(payload):
                return
            self._samples(route, self._parse(route, payload), columns, feed, is_retained)
        except Invalid as error:
            feed.lost("undecodable")
            self._tell(feed, topic, str(error))
        else:
            self._tell(feed, topic, None)

    def stored(self, topic: str, payload: bytes) -> None:
        """Note that the message is safe."""
        route = self._routes.get(topic)
        if route is not None:
            route.stored = hash(payload)

    def _parse(self, route: Route, payload: bytes) -> Json:
        if len(payload) > self._payload_max:
            raise Invalid(f"payload has {len(payload)} bytes, wanted at most {self._payload_max}")
        try:
            if route.settings.payload is Payload.JSON:
                return msgspec.json.decode(payload)
            text = payload.decode()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Invalid(f"payload {payload[:40]!r} is not what it should be: {error}") from None
        if route.settings.payload is Payload.TEXT:
            return text
        text = text.strip()
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        try:
            return int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            raise Invalid(f"payload {payload[:40]!r} is not a number") from None

    def _samples(
        self,
        route: Route,
        value: Json,
        columns: Columns,
        feed: Feed,
        is_retained: bool,
    ) -> None:
        time_ns, quality = self._stamp(route, value, feed, is_retained=is_retained)
        for leaf, raw in self._pick(route, value):
            code, held = quality, None
            if raw is None or raw is ABSENT:
                # A message may say only what has changed; what none has ever said is a fault.
                if raw is ABSENT and (leaf.was_seen or leaf.told is not None):
                    continue
                code = int(Quality.BAD_NO_DATA)
                problem = "the payload does not say it" if raw is ABSENT else None
            else:
                leaf.was_seen = True
                held = leaf.value(raw)
                problem = None
                if held is None:
                    code = int(Quality.BAD_TYPE_MISMATCH)
                    kind = leaf.kind.value if leaf.kind else "value"
                    problem = f"{_short(raw)} is not of kind {kind}"
            self._tell(feed, leaf.address, problem)
            if leaf.told is None or leaf.told is not leaf.kind:
                point = leaf.point(self._source)
                leaf.told = leaf.kind or point.kind
                self._fresh.append(point)
            columns.add(Sample(leaf.path, time_ns, held, code))

    def _stamp(
        self,
        route: Route,
        value: Json,
        feed: Feed,
        *,
        is_retained: bool,
    ) -> tuple[int, int]:
        """Time and quality of a message."""
        now = now_ns()
        code = 0
        how = route.settings.quality
        if how is not None and route.quality is not None:
            code = quality_of(dig(value, route.quality, None), how.format)
        if route.settings.time is None or route.time is None:
            if is_retained and is_good(code):
                # Nobody knows how old it is.
                code = int(Quality.UNCERTAIN_LAST_USABLE_VALUE)
            return now, code
        raw = dig(value, route.time, None)
        time_ns = time_of(raw, route.settings.time.format, now, self._future_max_s)
        problem = f"time {_short(raw)} cannot be believed; our clock's is used"
        self._tell(feed, f"{route.topic} time", None if time_ns else problem)
        if time_ns is None:
            return now, int(Quality.UNCERTAIN_SUB_NORMAL) if is_good(code) else code
        return time_ns, code

    def _pick(self, route: Route, value: Json) -> Iterator[tuple[Leaf, Json]]:
        """The points of a payload with their raw values."""
        if not route.is_open:
            for keys, leaf in route.leaves.items():
                yield leaf, dig(value, keys[:-1], ABSENT)
            return
        for keys, raw in leaves(value):
            if keys and keys in (route.time, route.quality):
                continue
            known = route.leaves.get(keys)
            if known is not None:
                yield known, raw
            elif raw is not None:
                name = name_of(keys)
                address = f"{route.topic} {name}".rstrip()
                leaf = Leaf(path_of(self._at, route.place, name), address, None)
                self._check(leaf, more=1)
                self._feeds[leaf.path] = (route, leaf)
                route.leaves[keys] = leaf
                yield leaf, raw

    # ---- routes

    def _route(self, topic: str) -> Route:
        """Make the route of a topic that is seen for the first time."""
        if len(self._routes) >= self._points_max:
            raise Invalid(f"more than {self._points_max} topics, so this one makes no points")
        for settings in self._topics:
            if topic_matches_sub(settings.filter, topic):
                route = Route(topic, settings, self._at)
                for leaf in route.leaves.values():
                    self._check(leaf, more=len(route.leaves))
                # All or none: a half-made route would stand in its own way next time.
                self._feeds |= {leaf.path: (route, leaf) for leaf in route.leaves.values()}
                self._routes[topic] = route
                return route
        raise Invalid("no filter fits this topic")

    def _check(self, leaf: Leaf, *, more: int) -> None:
        """See that there is room for so many points more, and that nobody else feeds this one."""
        other = self._feeds.get(leaf.path)
        if other is not None:
            raise Invalid(f"point {leaf.path} is fed by topic {other[0].topic} already")
        if len(self._feeds) + more > self._points_max:
            raise Invalid(f"more than {self._points_max} points (`points_max`)")

    def _tell(self, feed: Feed, address: str, problem: str | None) -> None:
        if problem is None:
            if address in self._ill:
                self._ill.discard(address)
                feed.trouble(address, None)
        elif address not in self._ill and len(self._ill) < TROUBLES_MAX:
            self._ill.add(address)
            feed.trouble(address, problem)


def command_payload(settings: MqttPoint, value: Value) -> bytes:
    """What is published to set the point."""
    if settings.command_key:
        return msgspec.json.encode({settings.command_key: value})
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def _short(raw: Json) -> str:
    if raw is None or raw is ABSENT:
        return "(none)"
    text = repr(raw)
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004
