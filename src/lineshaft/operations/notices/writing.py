"""A notice as its recipient reads it: a subject, a text, and the same facts for programs."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from lineshaft.core.clock import NS_PER_S, to_iso
from lineshaft.operations.notices.notice import Notice, Told
from lineshaft.operations.notices.outbox import Attachment, Content
from lineshaft.operations.notices.settings import Recipient
from lineshaft.operations.notices.texts import TEXTS, Texts

SUBJECT_CHARS_MAX = 200


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out; the same in every try."""

    id: str
    made_ns: int
    subject: str
    text: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    data: dict[str, Any] = {}
    """The facts, as JSON, for webhooks and MQTT."""

    def payload(self) -> bytes:
        """The message as JSON for programs; attachments are for mail alone."""
        head = {"id": self.id, "time": to_iso(self.made_ns)}
        return msgspec.json.encode(head | self.data | {"subject": self.subject, "text": self.text})


def message(
    notice: Notice, recipient: Recipient, *, plant: str, url: str, content: Content | None = None
) -> Message:
    """The notice in the words, the language and the time zone of its recipient."""
    texts, zone = TEXTS[recipient.language], ZoneInfo(recipient.zone)
    subject, lines = _said(notice, texts, zone, url, content)
    foot = texts.foot.format(plant=plant)
    text = "\n".join(lines) if content else "\n".join([*lines, "", "-- ", foot])
    return Message(
        id=notice.id,
        made_ns=notice.made_ns,
        subject=_one_line(f"[{plant}] {subject}" if plant else subject),
        text=text,
        html=content.html if content else "",
        attachments=content.attachments if content else (),
        data=_data(notice, plant, url),
    )


def _said(
    notice: Notice, texts: Texts, zone: ZoneInfo, url: str, content: Content | None
) -> tuple[str, list[str]]:
    if content is not None:
        return content.subject, content.text.splitlines()
    if notice.told is not None:
        lines = list(_facts(notice.told, texts, zone))
        if notice.unless_answered:
            lines.insert(0, texts.unanswered.format(minutes=f"{notice.after_s / 60:g}"))
        if url:
            lines += ["", f"{texts.open}: {_link(url, notice.told)}"]
        return _headline(notice.told, texts), lines
    if notice.items:
        return _digest(notice, texts, zone, url)
    return texts.test, [texts.test_text]


def _digest(notice: Notice, texts: Texts, zone: ZoneInfo, url: str) -> tuple[str, list[str]]:
    count = len(notice.items) + notice.more
    lines = [texts.held if notice.held else texts.flood, ""]
    lines += [
        f"- {_time(t.time_ns, zone)}  {_headline(t, texts)}  ({t.path})" for t in notice.items
    ]
    if notice.more:
        lines.append(texts.more.format(count=notice.more))
    if url:
        lines += ["", f"{texts.open}: {url}/alarms/journal"]
    return texts.digest.format(count=count), lines


def _headline(told: Told, texts: Texts) -> str:
    limit = f" ({told.limit})" if told.limit and told.on != "returned" else ""
    priority = texts.priority[told.priority]
    about = "" if told.on == "returned" else f", {priority}"
    return f"{texts.on[told.on]}{about}: {told.alarm}{limit}"


def _facts(told: Told, texts: Texts, zone: ZoneInfo) -> Iterator[str]:
    unit = f" {told.unit}" if told.unit else ""
    if told.description:
        yield told.description
    yield f"{texts.when}: {_time(told.time_ns, zone)}"
    yield f"{texts.point}: {told.path}"
    if told.value is not None:
        yield f"{texts.value}: {_figure(told.value)}{unit} ({_time(told.value_ns, zone)})"
    if told.limit_value is not None and told.on != "returned":
        yield f"{texts.limit}: {told.limit} {_figure(told.limit_value)}{unit}"
    if told.since_ns:
        yield f"{texts.since}: {_time(told.since_ns, zone)}"
    if told.group:
        yield f"{texts.group}: {told.group}"
    if told.cause:
        yield f"{texts.cause}: {told.cause}"
    if told.action:
        yield f"{texts.action}: {told.action}"


def _figure(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _time(time_ns: int, zone: ZoneInfo) -> str:
    return dt.datetime.fromtimestamp(time_ns // NS_PER_S, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _link(url: str, told: Told) -> str:
    return f"{url}/alarms?open={quote(told.alarm, safe='')}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:SUBJECT_CHARS_MAX]


def _data(notice: Notice, plant: str, url: str) -> dict[str, Any]:
    data: dict[str, Any] = {"type": f"lineshaft.notice.{notice.what}", "plant": plant}
    if notice.told is not None:
        data["alarm"] = _alarm(notice.told, url) | {
            "rule": notice.rule,
            "unacknowledged_s": notice.after_s if notice.unless_answered else 0,
        }
    if notice.items:
        data["alarms"] = [_alarm(t, url) for t in notice.items]
        data["more"] = notice.more
    return data


def _alarm(told: Told, url: str) -> dict[str, Any]:
    return {
        "name": told.alarm,
        "path": told.path,
        "on": told.on,
        "time": to_iso(told.time_ns),
        "event_id": told.event_id,
        "priority": told.priority.value,
        "severity": told.severity,
        "limit": told.limit,
        "limit_value": told.limit_value,
        "value": told.value,
        "unit": told.unit,
        "since": to_iso(told.since_ns) if told.since_ns else "",
        "group": told.group,
        "cause": told.cause,
        "action": told.action,
        "description": told.description,
        "url": _link(url, told) if url else "",
    }
