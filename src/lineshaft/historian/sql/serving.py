"""Settings of the Arrow Flight SQL server."""

from typing import Annotated

from msgspec import Meta

from lineshaft.core.settings import Settings


class FlightSettings(Settings, frozen=True):
    """Whether and where SQL is served as Arrow Flight SQL, for ADBC and JDBC."""

    on: bool = False
    """Whether it is served."""
    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for every network this machine is in."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 32010
    """TCP port; 0 takes any free one."""
    tls_certificate: str = ""
    """File with the certificate chain (PEM); empty serves without encryption."""
    tls_key: str = ""
    """File with the certificate's private key (PEM)."""
