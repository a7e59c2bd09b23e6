"""The build of the console: what it is made from, and what must not be in it."""

import json
import re
import subprocess
from pathlib import Path

import hatch_build
import pytest

CONSOLE = hatch_build.ROOT / "console"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.tsx").write_text("1")
    (tmp_path / "node_modules").mkdir()
    return tmp_path


def test_the_stamp_changes_with_the_sources_and_only_with_them(sources: Path):
    before = hatch_build.fingerprint(sources)
    (sources / "node_modules" / "package.js").write_text("installed")
    assert hatch_build.fingerprint(sources) == before
    (sources / "src" / "main.tsx").write_text("2")
    changed = hatch_build.fingerprint(sources)
    assert changed != before
    (sources / "src" / "main.tsx").rename(sources / "src" / "other.tsx")
    assert hatch_build.fingerprint(sources) != changed


def test_without_sources_the_build_says_what_is_missing(tmp_path: Path):
    with pytest.raises(SystemExit, match=r"package-lock\.json"):
        hatch_build.build(tmp_path)


def test_a_build_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(hatch_build.SKIP, "1")
    hatch_build.build(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_tool_that_fails_ends_the_build_with_its_last_words(tmp_path: Path):
    node, _ = hatch_build.tools()
    with pytest.raises(SystemExit, match="out of wool"):
        hatch_build.run([node, "-e", "throw new Error('out of wool')"], tmp_path, node)


def test_the_lock_file_names_no_registry_and_runs_no_scripts():
    lock = json.loads((CONSOLE / "package-lock.json").read_text())
    assert [p for p, entry in lock["packages"].items() if "resolved" in entry] == []
    assert "ignore-scripts=true" in (CONSOLE / ".npmrc").read_text().splitlines()


def test_the_types_hold_in_every_language():
    hatch_build.build()
    node, npm = hatch_build.tools()
    hatch_build.install(CONSOLE, node, npm)
    checked = subprocess.run(
        [node, "node_modules/typescript/bin/tsc", "--noEmit"],
        cwd=CONSOLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


def test_the_sources_load_nothing_from_outside():
    foreign = re.compile(r"""["'(](https?:)?//[a-z]""")
    found = [
        f"{path.relative_to(CONSOLE)}: {line.strip()}"
        for path in CONSOLE.rglob("*")
        if path.suffix in {".ts", ".tsx", ".css", ".html", ".js"}
        and not {"node_modules", "dist"} & set(path.parts)
        for line in path.read_text().splitlines()
        if foreign.search(line) and "127.0.0.1" not in line
    ]
    assert found == []
