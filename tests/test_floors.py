"""The drawing in ARCHITECTURE.md is checked, not hoped for."""

import re
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_floors():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_no_file_is_longer_than_400_lines():
    long = {
        str(f.relative_to(ROOT)): n for f in SOURCES if (n := len(f.read_text().splitlines())) > 400
    }
    assert not long, f"each of these is two things; say which and part them: {long}"


def test_every_file_says_what_it_is_for():
    silent = [str(f.relative_to(ROOT)) for f in SOURCES if not f.read_text().startswith('"""')]
    assert not silent, "begin with one sentence that says what the file is for"


def test_everything_is_caught_only_where_parts_are_kept_apart():
    allowed = {"core/flow.py", "server.py", "cli.py"}
    found = [
        f.relative_to(ROOT / "src/lineshaft").as_posix()
        for f in SOURCES
        if re.search(r"except (Base)?Exception\b|except:", f.read_text())
    ]
    assert set(found) <= allowed, "catch the narrowest class that the place can do something about"
