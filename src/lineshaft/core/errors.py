"""Every error that Lineshaft raises on purpose.

LineshaftError
├── SettingsError     the configuration is wrong; mend the file
├── LinkLost          a connection broke; the supervisor tries again
├── Refused           the other side said no; parked until the settings change
├── Invalid           the caller sent something that cannot be taken
├── Missing           what was asked for does not exist
├── Stale             somebody else changed it first; read again
├── Denied            the caller is known and may not do this
├── Unknown           the caller is not known; log in
└── Unavailable       it cannot be done now (disk full, device away); try later
"""


class LineshaftError(Exception):
    """Base of all errors raised on purpose.

    The message is one sentence that names the thing, what came and what was wanted;
    `remedy` is one sentence that says what to do.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class SettingsError(LineshaftError):
    """The configuration is wrong. The message names file, table, field and the mend."""


class LinkLost(LineshaftError):  # noqa: N818 - reads as a sentence: `except LinkLost`
    """A connection broke or never came up. The supervisor waits and runs the driver again."""


class Refused(LineshaftError):  # noqa: N818
    """The other side understood and said no (bad credentials, unknown node, read-only point)."""


class Invalid(LineshaftError):  # noqa: N818
    """What the caller sent cannot be taken."""


class Missing(LineshaftError):  # noqa: N818
    """What was asked for does not exist."""


class Stale(LineshaftError):  # noqa: N818
    """The caller's version of a document is not the newest."""


class Denied(LineshaftError):  # noqa: N818
    """The caller is known and may not do this."""


class Unknown(LineshaftError):  # noqa: N818
    """The caller is not known."""


class Unavailable(LineshaftError):  # noqa: N818
    """It cannot be done now; trying later may help."""
