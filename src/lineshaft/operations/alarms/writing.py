"""Alarms as text that people edit: TOML that leaves out what is as by default."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from lineshaft.core.errors import Invalid
from lineshaft.core.verbs import tables
from lineshaft.operations.alarms.settings import Alarm


def as_toml(alarm: dict[str, Any]) -> str:
    """The table `[[alarms]]` of an alarm as the API gives it."""
    return tomli_w.dumps({"alarms": [_given(msgspec.convert(alarm, Alarm))]})


def edited(alarm: dict[str, Any]) -> dict[str, Any] | None:
    """What somebody makes of an alarm in their editor; None if they left it as it was.

    The editor is that of VISUAL or EDITOR, else `vi`.

    Raises:
        Invalid: the editor cannot be started or failed, or what it left is no single alarm.
    """
    before = as_toml(alarm)
    with tempfile.TemporaryDirectory(prefix="lineshaft-") as folder:
        file = Path(folder) / "alarm.toml"
        file.write_text(before, "utf-8")
        _edit(file)
        if file.read_text("utf-8") == before:
            return None
        found = tables(file, "alarms")
    if len(found) != 1 or found[0].get("name") != alarm["name"]:
        raise Invalid(
            f"{len(found)} alarms came back from the editor, wanted {alarm['name']!r} alone",
            remedy="Use `alarm copy` for another name.",
        )
    return found[0]


def _edit(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(editor), str(file)], check=False)  # noqa: S603 - theirs
    except OSError as error:
        raise Invalid(
            f"the editor {editor!r} does not start: {error}", remedy="Set EDITOR to one that does."
        ) from error
    if done.returncode:
        raise Invalid(f"the editor {editor!r} ended with {done.returncode}, nothing is changed")


def _given(part: msgspec.Struct) -> dict[str, Any]:
    """The fields that are not as by default, which TOML can hold."""
    found = {}
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if value is None or value == field.default:
            continue
        if isinstance(value, msgspec.Struct):
            value = _given(value)
        value = msgspec.to_builtins(value)
        if value not in ({}, []):
            found[field.name] = value
    return found
