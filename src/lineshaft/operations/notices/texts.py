"""What messages say, in each language."""

from typing import Literal

import msgspec

from lineshaft.operations.alarms.settings import Priority
from lineshaft.operations.notices.settings import On

Language = Literal["en", "de", "zh"]


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one language."""

    on: dict[On, str]
    """What happened, in a few words."""
    priority: dict[Priority, str]
    unanswered: str
    """After `{minutes}` nobody has acknowledged it."""
    point: str
    value: str
    limit: str
    since: str
    when: str
    group: str
    cause: str
    action: str
    open: str
    """Before the link to the console."""
    digest: str
    """Subject of a digest of `{count}`."""
    held: str
    """First sentence of one after quiet hours."""
    flood: str
    """First sentence of one that a flood was drawn together into."""
    more: str
    """That `{count}` more are in the journal."""
    test: str
    test_text: str
    foot: str
    """Who sends this."""


EN = Texts(
    on={
        "arisen": "Alarm",
        "escalated": "Alarm is graver now",
        "uncovered": "Alarm is open again",
        "repeated": "Alarm rings again",
        "returned": "Back to normal",
    },
    priority={
        Priority.LOW: "low",
        Priority.MEDIUM: "medium",
        Priority.HIGH: "high",
        Priority.CRITICAL: "critical",
    },
    unanswered="Nobody has acknowledged it for {minutes} min.",
    point="Point",
    value="Value",
    limit="Limit",
    since="Active since",
    when="Time",
    group="Group",
    cause="Probable cause",
    action="What to do",
    open="Open",
    digest="{count} alarm messages",
    held="Held back in your quiet hours:",
    flood="More messages than you want to have came in a short time; drawn together:",
    more="… and {count} more; see the alarm journal.",
    test="Test message",
    test_text="This is a test. Messages from this plant reach you.",
    foot="Sent by Lineshaft, plant {plant}.",
)
DE = Texts(
    on={
        "arisen": "Alarm",
        "escalated": "Alarm ist ernster geworden",
        "uncovered": "Alarm ist wieder offen",
        "repeated": "Alarm meldet sich erneut",
        "returned": "Wieder normal",
    },
    priority={
        Priority.LOW: "niedrig",
        Priority.MEDIUM: "mittel",
        Priority.HIGH: "hoch",
        Priority.CRITICAL: "kritisch",
    },
    unanswered="Seit {minutes} min hat ihn niemand quittiert.",
    point="Messpunkt",
    value="Wert",
    limit="Grenze",
    since="Aktiv seit",
    when="Zeit",
    group="Gruppe",
    cause="Wahrscheinliche Ursache",
    action="Was zu tun ist",
    open="Öffnen",
    digest="{count} Alarmmeldungen",
    held="In Ihren Ruhezeiten zurückgehalten:",
    flood="In kurzer Zeit kamen mehr Meldungen, als Sie haben möchten; zusammengefasst:",
    more="… und {count} weitere; siehe Alarmjournal.",
    test="Testnachricht",
    test_text="Dies ist ein Test. Nachrichten dieses Werks erreichen Sie.",
    foot="Gesendet von Lineshaft, Werk {plant}.",
)
ZH = Texts(
    on={
        "arisen": "报警",
        "escalated": "报警升级",
        "uncovered": "报警重新生效",
        "repeated": "报警再次触发",
        "returned": "恢复正常",
    },
    priority={
        Priority.LOW: "低",
        Priority.MEDIUM: "中",
        Priority.HIGH: "高",
        Priority.CRITICAL: "紧急",
    },
    unanswered="已有 {minutes} 分钟无人确认。",
    point="测点",
    value="数值",
    limit="限值",
    since="起始时间",
    when="时间",
    group="分组",
    cause="可能原因",
    action="处理措施",
    open="打开",
    digest="{count} 条报警消息",
    held="免打扰时段内暂存的消息:",
    flood="短时间内消息过多,已合并为一条:",
    more="……另有 {count} 条,请查看报警日志。",
    test="测试消息",
    test_text="这是一条测试消息。本工厂的消息可以送达。",
    foot="由 Lineshaft 发送,工厂:{plant}。",
)
TEXTS: dict[Language, Texts] = {"en": EN, "de": DE, "zh": ZH}
