"""Starting Debian's servers on loopback, and asking them over HTTP."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def need(program: str, package: str) -> str:
    """Path of a program, installed from Debian when it is missing and we may.

    Raises:
        SystemExit: it is missing and cannot be installed.
    """
    where = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/lib/postgresql/15/bin"
    if not shutil.which(program, path=where) and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        print(f"+ apt-get install {package}", file=sys.stderr, flush=True)
        for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
            subprocess.run(
                ["apt-get", "-qq", *command], env=quiet, check=True, stdout=subprocess.DEVNULL
            )
    found = shutil.which(program, path=where)
    if found is None:
        raise SystemExit(f"{program} is missing: apt-get install {package}")
    return found


class Server:
    """A program that runs while it is needed."""

    def __init__(self, command: list[str], log: Path, **options) -> None:
        self._out = log.open("wb")
        self.process = subprocess.Popen(command, stdout=self._out, stderr=self._out, **options)

    def wait_for(self, url: str) -> None:
        """Until it answers.

        Raises:
            RuntimeError: it has ended, or does not answer for a minute.
        """
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(url).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.process.args} does not answer; see {self._out.name}")

    def stop(self) -> None:
        """End it, and wait for that."""
        self.process.terminate()
        self.process.wait(60)
        self._out.close()
