"""Lineshaft: the industrial internet platform you can `pip install`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineshaft.client import connect as connect

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what modules may offer
    """`lineshaft.connect`, imported only when it is asked for, so that the rest stays light."""
    if name == "connect":
        from lineshaft.client import connect  # noqa: PLC0415

        return connect
    raise AttributeError(f"module 'lineshaft' has no attribute {name!r}")
