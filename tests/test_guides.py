"""What the guides show works as it stands, and their links lead somewhere."""

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineshaft.cli import parser
from lineshaft.settings import PlantFile, load_text

ROOT = Path(__file__).parent.parent
SKIPPED = {"node_modules", ".venv", "dist"}
PAGES = sorted(
    f
    for pattern in ("*.md", "docs/**/*.md", "console/*.md")
    for f in ROOT.glob(pattern)
    if not SKIPPED & set(f.parts)
)
GUIDES = [ROOT / "README.md", *sorted(ROOT.glob("docs/guide/*.md"))]
BLOCK = re.compile(r"^( *)```toml\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^ *(?:\$ )?lineshaft ([a-z].*)|`lineshaft ([a-z][^`]*)`", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ADDRESS = re.compile(r"\w+:|#")
ENVIRONMENT = re.compile(r'\benv *= *"(\w+)"')
FILE = re.compile(r'\bfile *= *"([^"]+)"')
SETTINGS = set(PlantFile.__struct_fields__)
MEASURED = ROOT / "docs/reference/benchmarks.md"
"""Written by a run of the benchmarks, so that it may not be there yet."""


def blocks() -> Iterator[tuple[str, str]]:
    """Where each settings block stands, and its text; parts of a table are left out."""
    for page in GUIDES:
        for found in BLOCK.finditer(page.read_text("utf-8")):
            text = found[2]
            tables = {k for k, v in tomllib.loads(text).items() if isinstance(v, dict | list)}
            if SETTINGS & tables:
                line = page.read_text("utf-8")[: found.start()].count("\n") + 1
                yield f"{page.relative_to(ROOT)}:{line}", text


@pytest.mark.parametrize(("place", "text"), [pytest.param(p, t, id=p) for p, t in blocks()])
def test_settings_in_the_guides_are_accepted(place, text, tmp_path, monkeypatch):
    for name in ENVIRONMENT.findall(text):
        monkeypatch.setenv(name, "secret")
    for number, name in enumerate(FILE.findall(text)):
        kept = tmp_path / f"secret-{number}"
        kept.write_text("secret\n")
        text = text.replace(f'"{name}"', f'"{kept}"')
    load_text(text, folder=tmp_path, path=Path(place))


def commands() -> Iterator[tuple[str, str]]:
    """Where each command stands, and what follows `lineshaft`; verbs alone are left out."""
    for page in GUIDES:
        text = page.read_text("utf-8")
        for found in COMMAND.finditer(text):
            line = text[: found.start()].count("\n") + 1
            words = (found[1] or found[2]).partition(" #")[0]
            if len(shlex.split(words)) > 1 and not re.search(r"[|…]|\bVERB\b", words):
                yield f"{page.relative_to(ROOT)}:{line}", words


@pytest.fixture(scope="module")
def verbs() -> argparse.ArgumentParser:
    return parser()


@pytest.mark.parametrize(("place", "words"), [pytest.param(p, w, id=p) for p, w in commands()])
def test_commands_in_the_guides_can_be_given(place, words, verbs, capsys):
    try:
        verbs.parse_args(shlex.split(words))
    except SystemExit:
        pytest.fail(f"{place}: lineshaft {words}: {capsys.readouterr().err}")


def test_guides_show_commands_at_all():
    assert len(list(commands())) >= 30


def test_guides_show_settings_at_all():
    assert len(list(blocks())) >= 3


def test_links_lead_to_files_that_exist():
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in PAGES
        for link in LINK.findall(FENCED.sub("", page.read_text("utf-8")))
        if not ADDRESS.match(link)
        and (page.parent / link.partition("#")[0]).resolve() != MEASURED
        and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert not dead, f"these links lead nowhere: {dead}"


@pytest.mark.parametrize(("name", "lines_max"), [("README.md", 120), ("ARCHITECTURE.md", 200)])
def test_a_first_page_is_short(name, lines_max):
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= lines_max
