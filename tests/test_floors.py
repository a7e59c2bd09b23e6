"""The drawing in ARCHITECTURE.md is checked, not hoped for."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_floors():
    # In a process of its own: it configures logging, and silences every logger there is.
    config = str(ROOT / "pyproject.toml")
    code = f"from importlinter.cli import lint_imports as l; exit(l({config!r}, no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_400_lines():
    long = {
        str(f.relative_to(ROOT)): n for f in SOURCES if (n := len(f.read_text().splitlines())) > 400
    }
    assert not long, f"each of these is two things; say which and part them: {long}"


def test_every_file_says_what_it_is_for():
    silent = [str(f.relative_to(ROOT)) for f in SOURCES if not f.read_text().startswith('"""')]
    assert not silent, "begin with one sentence that says what the file is for"


def test_everything_is_caught_only_where_parts_are_kept_apart():
    # The front: an error in a mounted interface becomes an answer, as Litestar's do elsewhere.
    allowed = {"core/flow.py", "server.py", "cli.py", "web/front.py"}
    found = [
        f.relative_to(ROOT / "src/lineshaft").as_posix()
        for f in SOURCES
        if re.search(r"except (Base)?Exception\b|except:", f.read_text())
    ]
    assert set(found) <= allowed, "catch the narrowest class that the place can do something about"
