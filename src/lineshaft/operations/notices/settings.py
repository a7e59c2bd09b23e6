"""Who is told of alarms, by which way, and by which rules."""

import re
import ssl
from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path
from lineshaft.core.settings import Secret, Settings
from lineshaft.operations.alarms.settings import Priority

RECIPIENTS_MAX = 200
RULES_MAX = 500
NAME_CHARS_MAX = 100
Clock = Annotated[str, msgspec.Meta(pattern="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
On = Literal["arisen", "escalated", "uncovered", "repeated", "returned"]
ADDRESS = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[\w-]+(\.[\w-]+)*", re.ASCII
)
"""The usual form of an address (RFC 5322, dot-atom), without quoted parts."""
ADDRESS_CHARS_MAX = 254


class Quiet(Settings, frozen=True):
    """Hours in which only what is urgent is told."""

    start: Clock
    """Wall clock where they begin, in the recipient's zone: `22:00`."""
    stop: Clock
    """Where they end; when it is not after `start`, on the next day."""
    days: tuple[Day, ...] = DAYS
    """Days on which they begin: `mon` to `sun`; all by default."""


class Recipient(Settings, frozen=True):
    """One table `[[recipients]]`: a person, a group or a program, and the one way to it.

    Give `url`, `mail` or `topic`.
    """

    name: str
    """Its own name, which rules use and people read."""
    url: str = ""
    """A webhook: every message is an HTTP POST there; redirects are not followed."""
    secret: Secret = msgspec.field(default_factory=Secret)
    """With `url`: the key of the signature (Standard Webhooks, HMAC-SHA256); without, none."""
    mail: str = ""
    """An e-mail address; needs `[delivery.smtp]`."""
    topic: str = ""
    """An MQTT topic; needs `[delivery.mqtt]`."""
    language: Literal["en", "de", "zh"] = "en"
    """Of what is written."""
    zone: str = "UTC"
    """Time zone of the times in messages and of the quiet hours: `Europe/Berlin`."""
    quiet: tuple[Quiet, ...] = ()
    """Hours after which what was held back comes as one digest."""
    quiet_below: Priority = Priority.HIGH
    """In quiet hours, what is below this priority is held back."""
    at_most: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 10
    """Messages in ten minutes; a flood beyond comes as one digest. Critical ones may be twice."""

    @property
    def channel(self) -> str:
        """`webhook`, `mail` or `mqtt`."""
        return "webhook" if self.url else "mail" if self.mail else "mqtt"

    @property
    def address(self) -> str:
        """Where it is, without what is secret in a URL: its query and who logs in."""
        if not self.url:
            return self.mail or self.topic
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"


class Step(Settings, frozen=True):
    """Who is told once an alarm has waited so long for an answer."""

    to: tuple[str, ...]
    """Names of recipients."""
    after_s: Annotated[float, msgspec.Meta(ge=0, le=604_800)] = 0.0
    """Seconds without an acknowledgement; 0 is at once."""


class Rule(Settings, frozen=True):
    """One table `[[notices]]`: which alarms are told to whom, and who comes next.

    What is left out excludes nothing.
    """

    name: str
    """Its own name."""
    steps: tuple[Step, ...]
    """Who is told, and who after so many seconds if nobody has acknowledged."""
    priorities: tuple[Priority, ...] = ()
    """Only these."""
    groups: tuple[str, ...] = ()
    """Only alarms of these groups."""
    branch: str = ""
    """Only alarms on points at or below this path."""
    on: tuple[On, ...] = ("arisen", "escalated", "uncovered", "repeated")
    """What is told: `arisen`; `escalated`, its severity rose; `uncovered`, it came off a shelf or
    out of suppression and still waits; `repeated`, it rang again though acknowledged; `returned`,
    it is normal again, told to whom it was told before."""
    repeat_s: Annotated[float, msgspec.Meta(ge=0, le=604_800)] = 0.0
    """Seconds after which the last step is told again while nobody acknowledges; 0 never."""
    repeats_max: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    """How often at most."""
    returned_stops: bool = True
    """Whether later steps are left out once the alarm is normal again, though unacknowledged."""


class Smtp(Settings, frozen=True):
    """The table `[delivery.smtp]`: the server that takes our mail."""

    host: str
    """Name or address."""
    sender: str
    """Address that mail comes from: `lineshaft@acme.example`."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    """TCP port: 587 with `starttls`, 465 with `tls`, 25 with `none`."""
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    """How the link is encrypted; `none` only inside a network that you trust."""
    ca: str = ""
    """File with the certificates to trust; empty for those of the system."""
    user: str = ""
    """Name to log in with; empty for none."""
    password: Secret = msgspec.field(default_factory=Secret)
    """Better as `{ env = "SMTP_PASSWORD" }` or `{ file = "/run/secrets/smtp" }`."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 20.0
    """Seconds to wait for each of its answers."""


class MqttBroker(Settings, frozen=True):
    """The table `[delivery.mqtt]`: the broker that has the topics of recipients."""

    host: str
    """Name or address of the broker."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    """TCP port; with TLS usually 8883."""
    version: Literal["5", "3.1.1"] = "5"
    """With 5, the identifier of a message is the user property `id` too; it is always in it."""
    client_id: str = "lineshaft-notices"
    """Who we are to the broker; nobody else there may be called so."""
    username: str = ""
    """Name to log in with; empty for none."""
    password: Secret = msgspec.field(default_factory=Secret)
    """Better as `{ env = "BROKER_PASSWORD" }` or `{ file = "/run/secrets/broker" }`."""
    tls: bool = False
    """Whether the link is encrypted."""
    ca: str = ""
    """With `tls`, the file with the certificates to trust; empty for those of the system."""
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 30
    """Seconds of silence after which the broker and we ask whether the other is there."""


class Delivery(Settings, frozen=True):
    """The table `[delivery]`: what notices and reports go out by."""

    url: Annotated[str, msgspec.Meta(pattern="^(https?://.+[^/])?$")] = ""
    """Address at which recipients reach the console; messages link there."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 15.0
    """Seconds that a webhook or the broker may take to answer."""
    ca: str = ""
    """File with the certificates to trust of webhooks; empty for the public ones."""
    give_up_s: Annotated[float, msgspec.Meta(ge=1, le=2_592_000)] = 86_400.0
    """Age at which a notice that cannot be delivered is given up, on record."""
    keep_days: Annotated[float, msgspec.Meta(gt=0, le=3650)] = 30.0
    """How long what was sent, given up or no longer needed stays in the outbox."""
    smtp: Smtp | None = None
    """For recipients with `mail`."""
    mqtt: MqttBroker | None = None
    """For recipients with `topic`."""


def check_notices(
    recipients: Iterable[Recipient], rules: Iterable[Rule], delivery: Delivery
) -> None:
    """See that everybody can be reached, and that rules name those who exist.

    Raises:
        Invalid: somebody cannot, or they do not.
    """
    known = {r.name for r in recipients}
    rules = tuple(rules)
    if len(known) > RECIPIENTS_MAX or len(rules) > RULES_MAX:
        raise Invalid(
            f"{len(known)} recipients and {len(rules)} notices, wanted at most {RECIPIENTS_MAX}"
            f" and {RULES_MAX}",
            remedy="Give a group one recipient, such as a mailing list.",
        )
    _check_ca("[delivery] ca", delivery.ca)
    if delivery.smtp is not None:
        _check_address("[delivery.smtp] sender", delivery.smtp.sender)
        _check_ca("[delivery.smtp] ca", delivery.smtp.ca)
    for recipient in recipients:
        _check_recipient(recipient, delivery)
    for rule in rules:
        _check_rule(rule, known)


def check_name(what: str, name: str) -> None:
    """See that a name can be shown.

    Raises:
        Invalid: it is empty, too long, or not printable.
    """
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise Invalid(
            f"{what} name {name[:40]!r} has {len(name)} characters, wanted 1 to {NAME_CHARS_MAX}",
            remedy="Give it a printable name of its own.",
        )


def _check_recipient(recipient: Recipient, delivery: Delivery) -> None:
    name = recipient.name
    check_name("[[recipients]]", name)
    ways = [w for w in ("url", "mail", "topic") if getattr(recipient, w)]
    if len(ways) != 1:
        raise Invalid(
            f"recipient {name!r} has {' and '.join(ways) or 'no way to it'}, wanted exactly one",
            remedy="Give it url, mail or topic; for two ways make two recipients.",
        )
    if recipient.url:
        _check_url(name, recipient.url)
    elif recipient.mail:
        _check_address(f"recipient {name!r}: mail", recipient.mail)
        _check_table(name, "smtp", delivery.smtp)
    else:
        if set("+#\0") & set(recipient.topic):
            raise Invalid(
                f"recipient {name!r}: topic {recipient.topic!r} holds a wildcard",
                remedy="Name one topic, such as notices/night-shift.",
            )
        _check_table(name, "mqtt", delivery.mqtt)
    try:
        ZoneInfo(recipient.zone)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            f"recipient {name!r}: there is no time zone {recipient.zone!r}",
            remedy="Give an IANA name, as Europe/Berlin.",
        ) from None


def _check_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine:
        raise Invalid(
            f"recipient {name!r}: url is not the address of a web server",
            remedy="Write it as https://host/path.",
        )


def _check_address(what: str, address: str) -> None:
    if len(address) > ADDRESS_CHARS_MAX or not ADDRESS.fullmatch(address):
        raise Invalid(
            f"{what} {address[:60]!r} is no e-mail address", remedy="Write one as name@example.org."
        )


def _check_ca(what: str, file: str) -> None:
    if not file:
        return
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # an SSLError is one too
        raise Invalid(
            f"{what}: {file} holds no certificates: {error}",
            remedy="Name a file in PEM, which this process may read.",
        ) from None


def _check_table(name: str, table: str, given: object) -> None:
    if given is None:
        raise Invalid(
            f"recipient {name!r} needs the table [delivery.{table}], which is not there",
            remedy=f"Say in [delivery.{table}] by which server.",
        )


def _check_rule(rule: Rule, known: set[str]) -> None:
    check_name("[[notices]]", rule.name)
    if rule.branch:
        check_path(rule.branch)
    if not rule.steps or not all(s.to for s in rule.steps):
        raise Invalid(
            f"notice {rule.name!r} tells nobody",
            remedy='Give it steps, such as steps = [{ to = ["shift lead"] }].',
        )
    unknown = sorted({n for s in rule.steps for n in s.to} - known)
    if unknown:
        raise Invalid(
            f"notice {rule.name!r}: there is no recipient {unknown[0]!r}",
            remedy=f"Known are: {', '.join(sorted(known)) or 'none'}.",
        )
    times = [s.after_s for s in rule.steps]
    if sorted(set(times)) != times:
        raise Invalid(
            f"notice {rule.name!r}: after_s are {times}, wanted rising",
            remedy="Put the steps in the order in which they come.",
        )
