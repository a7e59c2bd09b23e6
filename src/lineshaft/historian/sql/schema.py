"""What may be asked, for people and for tools: views, columns, functions, examples."""

import msgspec
import pyarrow as pa

from lineshaft.core.summary import SUMMARY_SCHEMA
from lineshaft.historian.sql import functions
from lineshaft.historian.sql.answers import type_name
from lineshaft.historian.sql.asking import POINTS_SCHEMA
from lineshaft.historian.sql.rewriting import ROLLUPS

TIME = pa.timestamp("us", tz="UTC")
SAMPLES_SCHEMA = pa.schema(
    [
        pa.field("point", pa.string(), nullable=False),
        pa.field("time", TIME, nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32(), nullable=False),
    ]
)
ROLLUP_SCHEMA = pa.schema(
    [
        pa.field("point", pa.string(), nullable=False),
        pa.field("time", TIME, nullable=False),
        *(SUMMARY_SCHEMA.field(n) for n in SUMMARY_SCHEMA.names[1:]),
    ]
)
_WORDS = {"1s": "1 second", "1m": "1 minute", "10m": "10 minutes", "1h": "1 hour"}
SCHEMAS: dict[str, pa.Schema] = {
    "samples": SAMPLES_SCHEMA,
    "points": POINTS_SCHEMA,
    **dict.fromkeys(ROLLUPS, ROLLUP_SCHEMA),
}
"""The columns of each view."""
_ABOUT = {
    "samples": "Every sample that is kept.",
    "points": "What is known of each point.",
    **{name: f"Samples summed up per {_WORDS[name.removeprefix('rollup_')]}." for name in ROLLUPS},
}
_MEANING = {
    "point": "Path in the namespace.",
    "time": "Source time, in whole microseconds; of a roll-up, when its interval begins.",
    "time_ns": "The same in nanoseconds since 1970, exactly.",
    "number": "Value of numbers, booleans (0, 1) and enums.",
    "text": "Value of texts, and of integers beyond ±2^53.",
    "quality": "Status code of OPC UA; below 1073741824 is good, from 2147483648 on bad;"
    " of a roll-up the worst.",
    "kind": "number, integer, boolean, enum, text or json.",
    "unit": "UCUM code of the unit.",
    "low": "Lower end of the range that is expected.",
    "high": "Upper end of the range that is expected.",
    "description": "One sentence for people.",
    "class": "Semantic identifier of what it is.",
    "source": "Name of the connection that reads it.",
    "address": "Where that finds it.",
    "writable": "Whether the settings allow to write it.",
    "count": "Samples of any quality.",
    "usable": "Samples with a number that is not bad and not NaN.",
    "begin_ns": "Time of the first sample.",
    "end_ns": "Time of the last sample.",
    "min": "Lowest usable number.",
    "min_ns": "When that was first.",
    "max": "Highest usable number.",
    "max_ns": "When that was first.",
    "first": "First usable number.",
    "first_ns": "When that was.",
    "last": "Last usable number.",
    "last_ns": "When that was.",
    "sum": "Sum of the usable numbers; the mean is sum / usable.",
    "stepped": "Area where each value holds until the next sample, value × seconds.",
    "sloped": "Area where values are joined by straight lines, value × seconds.",
    "known_ns": "How much of the time the value is known; stepped / known_ns * 1e9 is the"
    " mean over time.",
}


class ViewColumn(msgspec.Struct, frozen=True):
    """A column of a view."""

    name: str
    type: str
    description: str


class ViewTold(msgspec.Struct, frozen=True):
    """A view."""

    name: str
    description: str
    columns: list[ViewColumn]


class Example(msgspec.Struct, frozen=True):
    """A query to begin with."""

    title: str
    text: str


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """All that a query may use."""

    views: list[ViewTold]
    functions: dict[str, list[str]]
    """Names by sort: scalar, aggregate, window, table."""
    types: list[str]
    """What a value may be cast to."""
    examples: list[Example]


EXAMPLES = [
    Example(
        "The newest samples of an hour",
        "SELECT point, time, number, text\nFROM samples\n"
        "WHERE time > now() - INTERVAL 1 HOUR\nORDER BY time DESC\nLIMIT 100",
    ),
    Example(
        "Mean, lowest and highest per hour",
        "SELECT point, time, sum / usable AS mean, min, max\nFROM rollup_1h\n"
        "WHERE time > now() - INTERVAL 1 DAY AND usable > 0\nORDER BY point, time",
    ),
    Example(
        "Points out of their range now and then",
        "SELECT p.point, p.unit, p.low, p.high, min(r.min) AS lowest, max(r.max) AS highest\n"
        "FROM rollup_1m r JOIN points p ON r.point = p.point\n"
        "WHERE r.time > now() - INTERVAL 1 DAY\n"
        "GROUP BY ALL\nHAVING min(r.min) < p.low OR max(r.max) > p.high",
    ),
    Example(
        "How often each point is sampled",
        "SELECT point, sum(count) AS samples, sum(count) / 3600 AS per_second\nFROM rollup_1m\n"
        "WHERE time > now() - INTERVAL 1 HOUR\nGROUP BY point\nORDER BY samples DESC",
    ),
    Example(
        "One point beside another, as it stood then",
        "SELECT a.time, a.number AS speed, b.number AS temperature\n"
        "FROM samples a ASOF LEFT JOIN (SELECT * FROM samples WHERE point = 'hall/temperature') b\n"
        "ON a.time_ns >= b.time_ns\n"
        "WHERE a.point = 'hall/press/speed' AND a.time > now() - INTERVAL 1 HOUR\nORDER BY a.time",
    ),
]


def schema() -> Schema:
    """All that a query may use."""
    views = [
        ViewTold(
            name,
            _ABOUT[name],
            [ViewColumn(f.name, type_name(f.type), _MEANING[f.name]) for f in fields],
        )
        for name, fields in SCHEMAS.items()
    ]
    sorts = {
        "scalar": functions.SCALARS - functions.OPERATORS,
        "aggregate": functions.AGGREGATES,
        "window": functions.WINDOWS,
        "table": functions.TABLES,
    }
    return Schema(
        views=views,
        functions={k: sorted(v) for k, v in sorts.items()},
        types=sorted(functions.TYPES),
        examples=EXAMPLES,
    )
