"""A shift report as a message: subject, text, and a page that mail programs can show."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from lineshaft.operations.kpis.answers import Report, Row
from lineshaft.operations.kpis.sums import SECOND_NS

CAUSES = 10
"""Causes of stops that are told."""
_MAIN = ("oee", "availability", "effectiveness", "quality")


class Words(NamedTuple):
    """What it says in one language."""

    title: str
    unit: str
    whole: str
    figures: tuple[str, ...]
    good: str
    scrap: str
    causes: str
    unexplained: str
    stops: str
    minutes: str
    alarms: str
    open: str
    thousand: str
    point: str
    severities: dict[str, str]


WORDS = {
    "en": Words(
        "Shift report", "Work unit", "All", ("OEE", "Availability", "Effectiveness", "Quality"),
        "Good", "Scrap", "What took time", "not explained", "Stops", "Minutes", "Alarms",
        "In the console", ",", ".",
        {"low": "low", "medium": "medium", "high": "high", "critical": "critical"},
    ),
    "de": Words(
        "Schichtbericht", "Arbeitseinheit", "Alle",
        ("OEE", "Verfügbarkeit", "Effektivität", "Qualität"),
        "Gut", "Ausschuss", "Was Zeit kostete", "nicht erklärt", "Stillstände", "Minuten", "Alarme",
        "In der Konsole", ".", ",",
        {"low": "niedrig", "medium": "mittel", "high": "hoch", "critical": "kritisch"},
    ),
    "zh": Words(
        "班次报告", "工作单元", "合计", ("OEE", "可用率", "性能率", "质量率"),
        "合格", "废品", "时间损失", "未说明", "停机次数", "分钟", "报警",
        "在控制台中", ",", ".",
        {"low": "低", "medium": "中", "high": "高", "critical": "紧急"},
    ),
}  # fmt: skip


class Sheet(NamedTuple):
    """A table: its heading, the names of its columns, its rows."""

    head: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Page(NamedTuple):
    """The message."""

    subject: str
    text: str
    html: str


def write(report: Report, language: str, *, plant: str, link: str, reasons: dict[str, str]) -> Page:
    """The report in a language; `reasons` has the texts of codes, `link` may be empty."""
    words = WORDS[language]
    name = f"{report.day} {report.shift}".strip()
    subject = f"{words.title} {plant}: {name}, OEE {_share(report.whole, 'oee', words)}"
    units = [_line(u.unit, u.row, words) for u in report.units]
    causes = [
        (
            f"{reasons.get(c.reason, c.reason) or words.unexplained} ({c.state})",
            str(c.stops),
            _number(c.ns / SECOND_NS / 60, 0, words),
        )
        for c in report.pareto[:CAUSES]
    ]
    heads = (words.unit, *words.figures, words.good, words.scrap)
    tables = [
        Sheet("", heads, [*units, _line(words.whole, report.whole, words)]),
        Sheet(words.causes, (words.causes, words.stops, words.minutes), causes),
    ]
    alarms = ", ".join(
        f"{words.severities.get(n, n)}: {count}"
        for n, count in (report.alarms or {}).items()
        if count
    )
    tail = [f"{words.alarms}: {alarms}"] if alarms else []
    text = [subject, ""]
    for head, columns, rows in tables:
        if rows:
            text += [*([head] if head else []), *_aligned([columns, *rows]), ""]
    text += tail + ([f"{words.open}: {link}"] if link else [])
    return Page(subject, "\n".join(text), _html(subject, tables, tail, words, link))


def _line(name: str, row: Row, words: Words) -> tuple[str, ...]:
    shares = (_share(row, n, words) for n in _MAIN)
    return (name, *shares, _number(row.sums.gq, 0, words), _number(row.sums.sq, 0, words))


def _share(row: Row, name: str, words: Words) -> str:
    value = row.figures[name].value
    return "–" if value is None else f"{_number(value * 100, 1, words)} %"


def _number(value: float, digits: int, words: Words) -> str:
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", words.thousand + words.point))


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Rows with columns of one width; the first is text, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (c.rjust(w) for c, w in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()


def _html(
    subject: str,
    tables: Sequence[Sheet],
    tail: Sequence[str],
    words: Words,
    link: str,
) -> str:
    cell = "padding:3px 10px;border-bottom:1px solid #d5d9dd"

    def row(tag: str, cells: Sequence[str]) -> str:
        first, *others = (escape(c) for c in cells)
        rest = "".join(f'<{tag} style="{cell};text-align:right">{c}</{tag}>' for c in others)
        return f'<tr><{tag} style="{cell};text-align:left">{first}</{tag}>{rest}</tr>'

    parts = [f'<h1 style="font-size:18px">{escape(subject)}</h1>']
    for head, columns, rows in tables:
        if rows:
            body = "".join(row("td", r) for r in rows)
            parts.append(f'<h2 style="font-size:15px">{escape(head)}</h2>' if head else "")
            parts.append(
                f'<table style="border-collapse:collapse">{row("th", columns)}{body}</table>'
            )
    parts += [f"<p>{escape(line)}</p>" for line in tail]
    if link:
        parts.append(f'<p><a href="{escape(link)}">{escape(words.open)}</a></p>')
    return f'<div style="font-family:sans-serif;font-size:14px">{"".join(parts)}</div>'
