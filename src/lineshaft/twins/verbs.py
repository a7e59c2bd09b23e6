"""Command-line verbs of twins: files in and out of a running plant, values, a check offline.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from lineshaft.core.errors import Invalid, Missing
from lineshaft.core.verbs import add_connection
from lineshaft.twins import Finding, Json
from lineshaft.twins.client import KINDS
from lineshaft.twins.model.elements import walk

FINDINGS_SHOWN = 20
"""Findings of an import on the screen; all of them with --all."""

_EPILOG = """examples:
  lineshaft twin check nameplate.aasx
  lineshaft twin import nameplate.aasx
  lineshaft twin get urn:press:data Motor.Speed
  lineshaft twin set urn:press:data Motor.Speed 1450
  lineshaft twin export -o press.aasx urn:press
"""

Call = Callable[[argparse.Namespace], int]


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `twin` with `import`, `undo`, `export`, `check`, `get` and `set`."""
    twin = subparsers.add_parser(
        "twin",
        help="digital twins (Asset Administration Shells): files, values",
        description="Bring Asset Administration Shells in and out, look at them, set their values.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")

    verb = _verb(
        twin, "import", "bring an AASX, JSON or XML file into a running plant", import_verb
    )
    verb.description = (
        "Bring in a file: all of it or nothing. What is odd is mended and told; twins that are"
        " there already are replaced. It can be undone with `twin undo`."
    )
    verb.add_argument("file", type=Path, help="AASX package, JSON or XML environment")
    verb.add_argument("--dry", action="store_true", help="only say what would happen")
    verb.add_argument(
        "--at",
        metavar="BRANCH",
        default="",
        help="branch of the namespace that new twins belong to",
    )
    verb.add_argument("--all", action="store_true", help="show every finding")
    add_connection(verb)

    verb = _verb(twin, "undo", "undo an import", undo_verb)
    verb.description = "Put back what an import replaced, remove what it created: all or nothing."
    verb.add_argument("import_id", metavar="IMPORT", help="as the import printed it")
    add_connection(verb)

    verb = _verb(twin, "export", "write twins of a running plant to a file", export_verb)
    verb.description = (
        "Write shells and submodels, with all that belongs to them, into a file; without an"
        " identifier everything that you may see."
    )
    verb.add_argument("id", nargs="*", help="identifier of a shell or submodel")
    verb.add_argument("--format", choices=list(KINDS), help="what comes out (default: by -o)")
    verb.add_argument("-o", "--output", type=Path, help="write to this file (default: stdout)")
    add_connection(verb)

    verb = _verb(twin, "check", "check a file, without a plant", check_verb)
    verb.description = (
        "Check an AASX, JSON or XML file against the metamodel (IDTA-01001 v3.1); needs no plant."
        " The exit code is 1 if something would be left out by an import."
    )
    verb.add_argument("file", type=Path, help="AASX package, JSON or XML environment")
    verb.add_argument("--strict", action="store_true", help="warnings count as errors")
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")

    verb = _verb(twin, "get", "print a shell, a submodel, an element or its value", get_verb)
    verb.description = (
        "Print values of a submodel or element. Without a submodel, print the identifiers of all"
        " shells with their submodels."
    )
    verb.add_argument("id", nargs="?", help="identifier of a submodel, or of a shell with --whole")
    verb.add_argument("path", nargs="?", default="", help="path of an element: Motor.Axes[2].Speed")
    verb.add_argument("--whole", action="store_true", help="the object itself, not only its value")
    add_connection(verb)

    verb = _verb(twin, "set", "set the value of an element", set_verb)
    verb.description = (
        "Set the value of an element. One that is bound to a machine is written there, if you may."
    )
    verb.add_argument("id", help="identifier of the submodel")
    verb.add_argument("path", help="path of the element: Motor.Axes[2].Speed")
    verb.add_argument("value", help="value; JSON for all but a Property; - reads it from stdin")
    add_connection(verb)


def _verb(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    call: Call,
) -> argparse.ArgumentParser:
    verb = subparsers.add_parser(name, help=text)
    verb.set_defaults(call=call)
    return verb


# ---- files


def import_verb(args: argparse.Namespace) -> int:
    """Bring a file in; findings go to stderr, what became of it to stdout."""
    with args.connect(args) as client:
        done = client.twins.import_file(args.file, dry=args.dry, branch=args.at)
    findings = msgspec.convert(done.get("findings", []), list[Finding])
    _show(findings, None if args.all else FINDINGS_SHOWN, sys.stderr)
    counts = Counter(step["what"] for step in done["steps"])
    created, replaced = ("to create", "to replace") if args.dry else ("created", "replaced")
    print(
        f"{args.file.name}: {counts['create']} {created}, {counts['replace']} {replaced}, "
        f"{counts['leave']} unchanged"
    )
    if done["id"]:
        print(f"undo it with: lineshaft twin undo {done['id']}")
    return 0


def undo_verb(args: argparse.Namespace) -> int:
    """Undo an import."""
    with args.connect(args) as client:
        client.twins.undo_import(args.import_id)
    print("undone")
    return 0


def export_verb(args: argparse.Namespace) -> int:
    """Write twins into a file; half a file never takes the place of a whole one."""
    ending = args.output.suffix[1:].lower().replace("ttl", "rdf") if args.output else "json"
    kind = args.format or (ending if ending in KINDS else "aasx")
    if args.output is None and kind == "aasx" and sys.stdout.isatty():
        raise Invalid("an AASX package is not for a screen", remedy="Name a file with -o.")
    with ExitStack() as stack:
        client = stack.enter_context(args.connect(args))
        parts = stack.enter_context(client.twins.export(*args.id, kind=kind))
        if args.output is None:
            sys.stdout.buffer.writelines(parts)
            sys.stdout.flush()
            return 0
        part = args.output.with_name(args.output.name + ".part")
        try:
            with part.open("wb") as file:
                file.writelines(parts)
            part.replace(args.output)
        finally:
            part.unlink(missing_ok=True)
    return 0


def check_verb(args: argparse.Namespace) -> int:
    """Check a file offline; 1 if it has errors."""
    # Only now: reading files needs the libraries for XML and packages.
    from lineshaft.twins.exchange.reading import read_environment  # noqa: PLC0415

    try:
        data = args.file.read_bytes()
    except OSError as error:
        raise Missing(
            f"{args.file}: {error.strerror}", remedy="Check the name of the file."
        ) from error
    found = read_environment(data, args.file.name)
    errors = sum(finding.level == "error" or args.strict for finding in found.findings)
    if args.json:
        print(msgspec.json.encode(found.findings).decode())
        return 1 if errors else 0
    _show(found.findings, None, sys.stdout)
    holds = Counter({kind: len(items) for kind, items in found.environment.items()})
    elements = sum(1 for submodel in found.environment["submodels"] for _ in walk(submodel))
    print(
        f"{args.file.name}: {holds['assetAdministrationShells']} shells, "
        f"{holds['submodels']} submodels with {elements} elements, "
        f"{holds['conceptDescriptions']} concept descriptions, {len(found.files)} files; "
        f"{errors} errors, {len(found.findings) - errors} warnings"
    )
    return 1 if errors else 0


def _show(findings: list[Finding], most: int | None, out: Any) -> None:  # noqa: ANN401 - a text file
    for finding in findings[:most]:
        print(f"{finding.level}: {finding.path or 'file'}: {finding.message}", file=out)
    if most is not None and len(findings) > most:
        print(f"{len(findings) - most} more findings: see --all", file=out)


# ---- values


def get_verb(args: argparse.Namespace) -> int:
    """Print JSON of what is asked for, or a list of what there is."""
    with args.connect(args) as client:
        if args.id is None:
            for line in _listed(client.twins):
                print(line)
            return 0
        print(_pretty(_found(client.twins, args)))
    return 0


def _found(twins: Any, args: argparse.Namespace) -> Any:  # noqa: ANN401 - the client, its JSON
    if not args.whole:
        return twins.value(args.id, args.path)
    if args.path:
        return twins.element(args.id, args.path)
    try:
        return twins.submodel(args.id)
    except Missing:
        return twins.shell(args.id)


def _listed(twins: Any) -> Iterator[str]:  # noqa: ANN401 - the client
    """Shells with their submodels, then submodels of no shell."""
    names = {twin["id"]: twin.get("idShort", "") for twin in twins.submodels()}
    for shell in twins.shells():
        yield _line("", shell["id"], shell.get("idShort", ""))
        for reference in shell.get("submodels", []):
            id_ = reference["keys"][-1]["value"]
            yield _line("  ", id_, names.pop(id_, ""))
    for id_, name in names.items():
        yield _line("", id_, name)


def _line(indent: str, id_: str, name: str) -> str:
    return f"{indent}{id_}  {name}".rstrip()


def set_verb(args: argparse.Namespace) -> int:
    """Set a value, and print what it is now."""
    text = sys.stdin.read() if args.value == "-" else args.value
    with args.connect(args) as client:
        twins = client.twins
        twins.set_value(args.id, args.path, _value(twins, args, text))
        print(_pretty(twins.value(args.id, args.path)))
    return 0


def _value(twins: Any, args: argparse.Namespace, text: str) -> Any:  # noqa: ANN401 - client, JSON
    """The text itself for a Property, whose type then decides: a serial number 0815 keeps its 0."""
    element: Json = twins.element(args.id, args.path)
    if element.get("modelType") == "Property":
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Invalid(
            f"value of {args.path!r}, a {element.get('modelType')}: no JSON: {error}",
            remedy=f"see its form with: lineshaft twin get {args.id} {args.path}",
        ) from error


def _pretty(found: Any) -> str:  # noqa: ANN401 - JSON
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
