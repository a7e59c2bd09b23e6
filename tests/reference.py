"""Writes docs/reference from the code: settings, backends, verbs, codes, units, the JSON Schema.

python tests/reference.py
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

from lineshaft.cli import parser
from lineshaft.core.plugin import FAMILIES, Plugin, describe, find, kinds, settings_tables
from lineshaft.core.quality import Quality, is_bad, is_good, quality_name
from lineshaft.core.units import table
from lineshaft.settings import PlantFile, schema

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
MEASURED = "benchmarks.md"
"""The one page here that is not made from code: `./do bench` writes it."""
RUNGS = {
    "runs": "the contract holds, on a device or engine of our own",
    "proven": "the contract holds against a program that others wrote",
    "conforms": "an official test kit has passed it",
}
NOTE = "Made from the code by `./do fix`; change it there.\n"


def pages() -> dict[str, str]:
    """Every page by its name below docs/reference."""
    made = {
        "settings.md": _settings(),
        "cli.md": _cli(),
        "quality.md": _quality(),
        "codes.md": _codes(),
        "units.md": _units(),
        "plant.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
    }
    for family, kind, _ in backends():
        made[f"{family}/{kind}.md"] = f"{describe(family, kind)}\n{NOTE}"
    return {"README.md": _index(), **made}


def backends() -> Iterator[tuple[str, str, type[Plugin]]]:
    """Family, kind and class of each backend of this repository."""
    for family in FAMILIES:
        for kind in kinds(family):
            found = find(family, kind)
            if found.__module__.startswith("lineshaft."):
                yield family, kind, found


def verbs(
    of: argparse.ArgumentParser | None = None,
) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Each verb of the command line that does something, and its line in the help."""
    if of is None:
        for name in ("LINESHAFT_URL", "LINESHAFT_TOKEN"):
            os.environ.pop(name, None)  # they would show up as defaults
        of = parser()
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            lines = {c.dest: c.help or "" for c in action._choices_actions}
            for name, verb in action.choices.items():
                if any(isinstance(a, argparse._SubParsersAction) for a in verb._actions):
                    yield from verbs(verb)
                else:
                    yield verb, lines.get(name, "")


def arguments(verb: argparse.ArgumentParser) -> list[argparse.Action]:
    """What the verb takes, in its order, but for --help."""
    return [a for a in verb._actions if not isinstance(a, argparse._HelpAction)]


# ---- the pages


def _index() -> str:
    lines = [
        "# Reference",
        "",
        NOTE,
        "- [settings](settings.md): what `plant.toml` may say; [JSON Schema](plant.schema.json)",
        "- [command line](cli.md): every verb of `lineshaft`",
        "- [state of the backends](quality.md): how far each is proven",
        "- [quality codes](codes.md) and [units](units.md)",
        f"- [benchmarks]({MEASURED}): measured, beside a peer in the same run",
        "",
    ]
    for family in FAMILIES:
        links = [f"[{k}]({f}/{k}.md)" for f, k, _ in backends() if f == family]
        lines.append(f"**{family}**: {' · '.join(links)}\n")
    return "\n".join(lines)


def _settings() -> str:
    parts = [
        "# plant.toml",
        "An empty file runs. Unknown keys are errors. `lineshaft check plant.toml` names what is"
        " wrong; editors that know TOML and JSON Schema take [plant.schema.json]"
        "(plant.schema.json). What the tables `[spine]`, `[store]`, `[records]` and `[[drivers]]`"
        " may say beside `kind` stands on the page of each kind:",
    ]
    for family in FAMILIES:
        links = [f"[{k}]({f}/{k}.md)" for f, k, _ in backends() if f == family]
        parts.append(f"- {family}: {', '.join(links)}")
    parts += [
        "## Tables",
        *settings_tables(PlantFile),
        "## Secrets",
        'A password is given as text, as `{ env = "NAME" }` or as `{ file = "path" }`; it is'
        " never printed.",
        NOTE,
    ]
    return "\n\n".join(parts)


def _cli() -> str:
    parts = ["# Command line", NOTE.strip()]
    for verb, line in verbs():
        head = " ".join([f"`{verb.prog}", *map(_usage, arguments(verb))]) + "`"
        told = " ".join((verb.description or line).split())
        parts += [f"## {verb.prog}", f"{told[:1].upper()}{told[1:].rstrip('.')}.", head]
        listed = [f"- `{_name(a)}`: {_help(verb, a)}" for a in arguments(verb)]
        if listed:
            parts.append("\n".join(listed))
    return "\n\n".join(parts) + "\n"


def _usage(action: argparse.Action) -> str:
    if action.option_strings:
        word = action.option_strings[-1]
        value = "" if action.nargs == 0 else f" {_value(action)}"
        text = f"{word}{value}"
        return text if action.required else f"[{text}]"
    return f"[{_value(action)}]" if action.nargs == "?" else _value(action)


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return action.dest
    value = "" if action.nargs == 0 else f" {_value(action)}"
    return f"{', '.join(action.option_strings)}{value}"


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _help(verb: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = (action.help or "") % {**vars(action), "prog": verb.prog}
    default = action.default
    shown = "default" in text or "LINESHAFT" in text or action.nargs == 0
    if default and not shown and default is not argparse.SUPPRESS:
        return f"{text} (default: {default})"
    return text


def _quality() -> str:
    lines = ["# State of the backends", "", "| family | kind | quality |", "|---|---|---|"]
    for family, kind, found in backends():
        lines.append(f"| {family} | [{kind}]({family}/{kind}.md) | {found.rung} |")
    lines += ["", *(f"- **{rung}**: {text}." for rung, text in RUNGS.items()), "", NOTE]
    return "\n".join(lines)


def _codes() -> str:
    lines = [
        "# Quality codes",
        "",
        "Every sample carries a 32-bit status code of OPC UA. Bits 31 and 30 are the severity;"
        " a device may send any code, these are the ones that Lineshaft itself gives.",
        "",
        "| code | name | the value |",
        "|---|---|---|",
    ]
    for code in Quality:
        use = "is good" if is_good(code) else "cannot be used" if is_bad(code) else "is uncertain"
        lines.append(f"| `0x{code:08X}` | {quality_name(code)} | {use} |")
    return "\n".join([*lines, "", NOTE])


def _units() -> str:
    lines = [
        "# Units",
        "",
        "A unit is a UCUM code of this table, a product or quotient of them (`kJ/kg`, `N.m2`), or"
        " something counted (`{pieces}/h`).",
        "",
        "| UCUM | shown as | UNECE |",
        "|---|---|---|",
    ]
    lines += [f"| `{u.ucum}` | {u.symbol} | {', '.join(u.unece)} |" for u in table().values()]
    return "\n".join([*lines, "", NOTE])


def main() -> None:
    """Write every page; take away those that are made no longer."""
    wanted = pages()
    for file in sorted(FOLDER.rglob("*")):
        name = file.relative_to(FOLDER).as_posix()
        if file.is_file() and name not in wanted and name != MEASURED:
            file.unlink()
    for name, text in wanted.items():
        file = FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
