"""Quality codes: the full 32-bit status code of OPC UA travels with every sample.

Source: OPC 10000-4, 7.39 (layout: severity in bits 31-30) and OPC 10000-6, A.2 (figures).
"""

import enum

SEVERITY_MASK = 0xC000_0000
OVERFLOW = 0x0000_0480
"""Info type DataValue with the overflow bit: values were lost in the server's queue."""


class Quality(enum.IntEnum):
    """The codes that Lineshaft itself gives; a device may send any other."""

    GOOD = 0x0000_0000
    GOOD_LOCAL_OVERRIDE = 0x0096_0000
    UNCERTAIN = 0x4000_0000
    UNCERTAIN_LAST_USABLE_VALUE = 0x4090_0000
    UNCERTAIN_SUBSTITUTE_VALUE = 0x4091_0000
    UNCERTAIN_INITIAL_VALUE = 0x4092_0000
    UNCERTAIN_SENSOR_NOT_ACCURATE = 0x4093_0000
    UNCERTAIN_ENGINEERING_UNITS_EXCEEDED = 0x4094_0000
    UNCERTAIN_SUB_NORMAL = 0x4095_0000
    BAD = 0x8000_0000
    BAD_INTERNAL_ERROR = 0x8002_0000
    BAD_COMMUNICATION_ERROR = 0x8005_0000
    BAD_DECODING_ERROR = 0x8007_0000
    BAD_TIMEOUT = 0x800A_0000
    BAD_SERVICE_UNSUPPORTED = 0x800B_0000
    BAD_USER_ACCESS_DENIED = 0x801F_0000
    BAD_NO_COMMUNICATION = 0x8031_0000
    BAD_WAITING_FOR_INITIAL_DATA = 0x8032_0000
    BAD_NODE_ID_INVALID = 0x8033_0000
    BAD_NODE_ID_UNKNOWN = 0x8034_0000
    BAD_NOT_READABLE = 0x803A_0000
    BAD_NOT_WRITABLE = 0x803B_0000
    BAD_OUT_OF_RANGE = 0x803C_0000
    BAD_NOT_SUPPORTED = 0x803D_0000
    BAD_TYPE_MISMATCH = 0x8074_0000
    BAD_CONFIGURATION_ERROR = 0x8089_0000
    BAD_NOT_CONNECTED = 0x808A_0000
    BAD_DEVICE_FAILURE = 0x808B_0000
    BAD_SENSOR_FAILURE = 0x808C_0000
    BAD_OUT_OF_SERVICE = 0x808D_0000
    BAD_NO_DATA = 0x809B_0000


def is_bad(code: int) -> bool:
    """Whether the value cannot be used."""
    return bool(code & 0x8000_0000)


def is_good(code: int) -> bool:
    """Whether the value can be trusted."""
    return not code & SEVERITY_MASK


def quality_name(code: int) -> str:
    """The code in OPC UA's spelling (`BadTimeout`), or its severity with the figure."""
    base = code & 0xFFFF_0000
    try:
        return Quality(base).name.title().replace("_", "")
    except ValueError:
        severity = "Bad" if is_bad(code) else "Good" if is_good(code) else "Uncertain"
        return f"{severity}(0x{code:08X})"
