"""The reference is what the code says, and the code says something about everything."""

import importlib.util
import inspect
from pathlib import Path

import msgspec
import pytest

from lineshaft.core.settings import field_docs
from lineshaft.settings import PlantFile

SPEC = importlib.util.spec_from_file_location(
    "lineshaft_reference", Path(__file__).with_name("reference.py")
)
assert SPEC
assert SPEC.loader
reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reference)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


def test_every_page_is_what_the_code_says(pages):
    there = {n: f.read_text("utf-8") for n in pages if (f := reference.FOLDER / n).exists()}
    other = [name for name, text in pages.items() if there.get(name) != text]
    assert not other, f"docs/reference: not what the code says: {other}; run ./do fix"


def test_no_page_is_left_of_what_is_gone(pages):
    there = {
        f.relative_to(reference.FOLDER).as_posix()
        for f in reference.FOLDER.rglob("*")
        if f.is_file()
    }
    assert there <= {*pages, reference.MEASURED}, "run ./do fix"


def test_every_verb_and_every_option_has_help():
    silent = [
        f"{verb.prog}: {action.option_strings or action.dest}"
        for verb, _ in reference.verbs()
        for action in reference.arguments(verb)
        if not action.help
    ]
    silent += [verb.prog for verb, line in reference.verbs() if not line]
    assert not silent, f"give each a `help`: {silent}"


def test_every_setting_has_a_docstring():
    silent = [
        f"{struct.__module__}.{struct.__qualname__}.{field.name}"
        for struct in structs()
        for field in msgspec.structs.fields(struct)
        if not field_docs(struct).get(field.name)
    ]
    assert not silent, f"say under each field what it is: {silent}"


def structs() -> set[type[msgspec.Struct]]:
    """Every settings table, with the tables inside it."""
    found, todo = set(), [PlantFile, *(p.Config for _, _, p in reference.backends())]
    while todo:
        item = todo.pop()
        if inspect.isclass(item) and issubclass(item, msgspec.Struct):
            if item not in found:
                found.add(item)
                todo += [f.type for f in msgspec.structs.fields(item)]
        else:
            todo += getattr(item, "__args__", ())
    return found


def test_every_backend_stands_on_a_known_rung():
    strange = {f"{f}/{k}": p.rung for f, k, p in reference.backends()}
    assert set(strange.values()) <= set(reference.RUNGS), strange
