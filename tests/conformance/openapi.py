"""The association's OpenAPI document, made ready for a tool that takes it at its word."""

import re
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

_ELSEWHERE = re.compile(
    r"https://api\.swaggerhub\.com/domains/Plattform_i40/Part\d-[A-Za-z0-9-]+/V3\.1\.2#/"
)


def load(folder: Path) -> Json:
    """All of it as one document, its three files joined."""
    api, *parts = (
        yaml.load(_ELSEWHERE.sub("#/", (folder / name).read_text()), Loader=yaml.CSafeLoader)
        for name in ("api-v3.1.yaml", "part1-metamodel-schemas.yaml", "part2-api-schemas.yaml")
    )
    components: Json = {}
    for part in parts:
        for kind, members in part["components"].items():
            components.setdefault(kind, {}).update(members)
    api["components"] = components
    mend(components["schemas"])
    components["responses"]["no-content"].pop("content")  # 204 says that there is none
    for item in api["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                for parameter in operation.get("parameters", ()):
                    if "/parameters/" in parameter.get("schema", {}).get("$ref", ""):
                        parameter["schema"] = {"type": "string"}  # a parameter is no schema
                for media in operation.get("requestBody", {}).get("content", {}).values():
                    media["schema"] = shallow(media["schema"], components["schemas"])
    return api


def mend(schemas: Json) -> None:
    """Take out what the document says and nothing can fulfil.

    - The pattern of all texts is written with UTF-16 surrogates, and twice escaped in places.
    - Values and metadata of elements are `oneOf` schemas that overlap: a number is a value of a
      Property; `{}` is that of ten types. They are read as `anyOf`.
    - A Range may have one of min and max only, or texts (xs:date); its value demands two numbers.
    - A path may hold an idShort with a hyphen, since 3.1.
    """
    for schema in schemas.values():
        _mend(schema)
    schemas["RangeValue"] = {"type": "object"}
    schemas["PathItem"] = {"type": "string"}


def _mend(schema: Any) -> None:
    if isinstance(schema, dict):
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and ("ud800" in pattern or "\\\\" in pattern):
            del schema["pattern"]
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        for inner in schema.values():
            _mend(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _mend(inner)


def shallow(schema: Json, schemas: Json, depth: int = 0) -> Json:
    """A schema that says less: what stands below its uppermost members is left open.

    Bodies of the whole schema take seconds each to make. What breaks this one breaks that one too.
    """
    schema = flat(schema, schemas)
    made = {k: v for k, v in schema.items() if k in ("type", "enum", "required", "format")}
    if "properties" in schema:
        made["type"] = "object"
    if depth < 2 and "properties" in schema:
        made["properties"] = {
            name: shallow(inner, schemas, depth + 1) for name, inner in schema["properties"].items()
        }
    elif "properties" in schema:
        made.pop("required", None)
    if schema.get("type") == "array" and depth == 0:
        made["items"] = shallow(schema["items"], schemas, depth)
        made |= {k: v for k, v in schema.items() if k == "minItems"}
    return made


def flat(schema: Json, schemas: Json) -> Json:
    """The schema without `$ref` and `allOf` at its top."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    made = {k: v for k, v in schema.items() if k != "allOf"}
    for part in schema.get("allOf", ()):
        inner = flat(part, schemas)
        joined = {**inner.get("properties", {}), **made.get("properties", {})}
        needed = [*made.get("required", ()), *inner.get("required", ())]
        made = {**inner, **made}
        if joined:
            made["properties"] = joined
        if needed:
            made["required"] = list(dict.fromkeys(needed))
    return made
