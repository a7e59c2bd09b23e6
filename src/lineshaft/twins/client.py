"""The client of twins: shells, submodels, elements, their values, over the standard's interface."""

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

import httpx
from aas_core3_1.types import Class as Typed

from lineshaft.core.errors import Invalid, Missing, Unavailable
from lineshaft.twins import Class, Json
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.wire import Wire, decoded

OWN = "/api/v1/twins"

FILE_S = 900.0
"""Seconds that a server may take over a whole file."""

KINDS = {
    "aasx": "application/asset-administration-shell-package+xml",
    "json": "application/json",
    "xml": "application/xml",
    "rdf": "",
}
"""What an export may be, with the media type that the standard's interface has for it."""

OF_MODEL = {
    "AssetAdministrationShell": Class.SHELL,
    "Submodel": Class.SUBMODEL,
    "ConceptDescription": Class.CONCEPT,
}
"""The class of what has an identifier, by its `modelType`."""

_CREATED = 201

H = TypeVar("H")
Time = int | str


class Twin(dict[str, Any]):
    """An object of the metamodel: its JSON as a dict, and on demand a typed one."""

    version: str | None = None
    """What `put` takes, so that nobody else's change is lost; None for parts of a document."""

    def typed(self) -> Typed:
        """The same as one of `aas_core3_1.types`; changes to it do not change the dict.

        Raises:
            Unfit: it has another shape than the metamodel wants, as an odd import may have.
        """
        from lineshaft.twins.model.checking import typed  # noqa: PLC0415 - loads the metamodel

        return typed(self["modelType"], self)


class Twins(Generic[H]):
    """Twins of a running plant. Identifiers are plain text; encoding is done here."""

    def __init__(self, http: httpx.Client, read: Callable[[list[str], Time, Time], H]) -> None:
        """`read` gives the samples of points, as `Client.history` does."""
        self._wire = Wire(http)
        self._read = read

    # ---- shells, submodels, concept descriptions

    def shells(
        self, *, id_short: str = "", asset_ids: dict[str, str] | None = None
    ) -> Iterator[Twin]:
        """All shells, or those of an idShort or of an asset by its ids.

        `asset_ids` by name, as `{"serialNumber": "7"}`; `globalAssetId` is one of the names.
        """
        asked = [
            ("assetIds", encode_id(json.dumps({"name": name, "value": value})))
            for name, value in (asset_ids or {}).items()
        ]
        return self._all("/shells", [*asked, ("idShort", id_short)])

    def submodels(self, *, id_short: str = "", semantic_id: str | Json = "") -> Iterator[Twin]:
        """All submodels, or those of an idShort or a semanticId (its value, or a Reference)."""
        reference = semantic_id
        if isinstance(semantic_id, str) and semantic_id:
            key = {"type": "GlobalReference", "value": semantic_id}
            reference = {"type": "ExternalReference", "keys": [key]}
        wanted = encode_id(json.dumps(reference)) if reference else ""
        return self._all("/submodels", [("idShort", id_short), ("semanticId", wanted)])

    def concepts(self, *, id_short: str = "") -> Iterator[Twin]:
        """All concept descriptions, or those of an idShort."""
        return self._all("/concept-descriptions", [("idShort", id_short)])

    def shell(self, id_: str) -> Twin:
        """The shell of this identifier.

        Raises:
            Missing: there is none, or it is not for the caller to see.
        """
        return self._one(_place(Class.SHELL, id_))

    def submodel(self, id_: str) -> Twin:
        """The submodel of this identifier, with all its elements.

        Raises:
            Missing: there is none, or it is not for the caller to see.
        """
        return self._one(_place(Class.SUBMODEL, id_))

    def concept(self, id_: str) -> Twin:
        """The concept description of this identifier.

        Raises:
            Missing: there is none, or it is not for the caller to see.
        """
        return self._one(_place(Class.CONCEPT, id_))

    def put(self, twin: Json | Typed, *, version: str | None = None) -> bool:
        """Create or replace a shell, submodel or concept description; True if it was not there.

        Raises:
            Invalid: not what the metamodel allows; the message names the first thing.
            Stale: the version that is there is not `version` any more.
        """
        obj = _plain(twin)
        class_ = OF_MODEL.get(str(obj.get("modelType")))
        if class_ is None or not isinstance(obj.get("id"), str):
            raise Invalid(
                f"a {obj.get('modelType') or 'dict without modelType'} with the id "
                f"{obj.get('id')!r} cannot be put",
                remedy=f"give a {', '.join(OF_MODEL)} with an id; elements go to put_element",
            )
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        answer = self._wire.send("PUT", _place(class_, obj["id"]), obj, headers=headers)
        return answer.status_code == _CREATED

    def remove(self, class_: Class, id_: str) -> None:
        """Take a shell, submodel or concept description away.

        Raises:
            Missing: there is none.
        """
        self._wire.ask("DELETE", _place(class_, id_))

    def query(self, class_: Class, condition: Json) -> Iterator[Twin]:
        """What fits a condition of the AAS query language, as `{"$eq": [{"$field": …}, …]}`.

        A whole query with `$condition` is taken, too.
        """
        whole = condition if "$condition" in condition else {"$condition": condition}
        return self._all(f"/query/{_name(class_)}", [], whole)

    # ---- elements

    def elements(self, submodel_id: str) -> Iterator[Twin]:
        """The elements directly within a submodel."""
        return self._all(f"{_place(Class.SUBMODEL, submodel_id)}/submodel-elements", [])

    def element(self, submodel_id: str, path: str) -> Twin:
        """One element by its path, as `Motor.Axes[2].Speed`.

        Raises:
            Missing: there is no such submodel or element.
        """
        return self._one(_element(submodel_id, path))

    def put_element(self, submodel_id: str, path: str, element: Json | Typed) -> bool:
        """Create or replace the element at a path; True if it was not there."""
        answer = self._wire.send("PUT", _element(submodel_id, path), _plain(element))
        return answer.status_code == _CREATED

    def add_element(self, submodel_id: str, element: Json | Typed, *, parent: str = "") -> Twin:
        """Add an element as the last of a submodel, or of the element at `parent`.

        Raises:
            Stale: there is one of its idShort.
        """
        url = _element(submodel_id, parent) + ("" if parent else "/submodel-elements")
        answer = self._wire.send("POST", url, _plain(element))
        return Twin(decoded(answer, dict[str, Any]))

    def remove_element(self, submodel_id: str, path: str) -> None:
        """Take an element away, with all within it."""
        self._wire.ask("DELETE", _element(submodel_id, path))

    def invoke(self, submodel_id: str, path: str, inputs: Json | None = None) -> Json:
        """Call an Operation with values by idShort; what it gives, in the same way.

        Raises:
            Unavailable: the operation failed or took too long; the message says why.
        """
        asked = {"inputArguments": _wire(inputs or {}), "clientTimeoutDuration": "PT60S"}
        url = f"{_element(submodel_id, path)}/invoke/$value"
        result = decoded(self._wire.send("POST", url, asked), dict[str, Any])
        if not result.get("success", True):
            texts = [message.get("text", "") for message in result.get("messages", [])]
            raise Unavailable(
                f"operation {path} ended as {result.get('executionState')}: {' '.join(texts)}",
                remedy="see the log of the plant, and whether the device is there",
            )
        return {**result.get("inoutputArguments", {}), **result.get("outputArguments", {})}

    # ---- values

    def value(self, submodel_id: str, path: str = "") -> Any:  # noqa: ANN401 - JSON
        """The value of an element, or of the whole submodel, in value-only form."""
        return decoded(self._wire.ask("GET", _element(submodel_id, path) + "/$value"), Any)

    def set_value(self, submodel_id: str, path: str, value: Any) -> None:  # noqa: ANN401 - JSON
        """Set the value of an element, or with the path "" of any number within the submodel.

        An element that is bound to a machine is written there before this returns.

        Raises:
            Invalid: no value of its type, or no such element in it; the message names the path.
            Denied: the caller may not write it.
        """
        self._wire.send("PATCH", _element(submodel_id, path) + "/$value", _wire(value))

    def point(self, submodel_id: str, path: str) -> str:
        """The point of the plant that an element is bound to.

        Raises:
            Missing: it is bound to none.
        """
        params = {"submodel": submodel_id}
        found = decoded(self._wire.ask("GET", f"{OWN}/bindings", params=params), dict[str, Any])
        for binding in found["items"]:
            if parse_path(binding["path"]) == parse_path(path):
                return str(binding["point"])
        raise Missing(
            f"element {path!r} of submodel {submodel_id!r} is bound to no point",
            remedy="only bound elements have a history of values; see the bindings in the console",
        )

    def bind(self, submodel_id: str, path: str, point: str) -> None:
        """Have a Property show the newest value of a point from now on, and have its history.

        Raises:
            Missing: there is no such element or point.
            Invalid: another element than a Property.
        """
        asked = {"submodel": submodel_id, "path": path, "point": point}
        self._wire.send("PUT", f"{OWN}/bindings", asked)

    def unbind(self, submodel_id: str, path: str) -> None:
        """Take a binding away that people made; a generated one comes back.

        Raises:
            Missing: nobody bound it.
        """
        params = {"submodel": submodel_id, "path": path}
        self._wire.ask("DELETE", f"{OWN}/bindings", params=params)

    def history(self, submodel_id: str, path: str, start: Time = "-1h", stop: Time = "now") -> H:
        """Every sample of the point that an element is bound to, with `start <= time < stop`."""
        return self._read([self.point(submodel_id, path)], start, stop)

    # ---- files

    def import_file(self, path: str | Path, *, dry: bool = False, branch: str = "") -> Json:
        """Bring in an AASX, JSON or XML file: all of it or nothing.

        The answer has `id`, by which it can be undone; `steps`, each with `class`, `id`, and
        `what` became of it (`create`, `replace`, `leave`); `findings`, what was mended or left
        out. `dry` only says what would happen; new twins belong to `branch` of the namespace.

        Raises:
            Invalid: nothing can be taken from the file.
            Missing: there is no such file.
        """
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Missing(
                f"{path}: {error.strerror}", remedy="Check the name of the file."
            ) from error
        params = {"name": path.name, "dry": str(dry).lower(), "branch": branch}
        url = f"{OWN}/import"
        answer = self._wire.ask("POST", url, params=params, content=content, timeout=FILE_S)
        return decoded(answer, dict[str, Any])

    def undo_import(self, id_: str) -> None:
        """Put back what an import replaced and remove what it created: all of it or nothing.

        Raises:
            Missing: there is no such import, or it was undone.
            Stale: one of its twins was changed since.
        """
        self._wire.ask("POST", f"{OWN}/imports/{quote(id_, safe='')}/undo", timeout=FILE_S)

    @contextlib.contextmanager
    def export(self, *ids: str, kind: str = "aasx") -> Iterator[Iterator[bytes]]:
        """The bytes of a file of these shells and submodels with all that belongs to them.

        `kind` is one of `KINDS`. Without identifiers it is everything that the caller may see.
        """
        if kind not in KINDS or not (ids or KINDS[kind]):
            raise Invalid(
                f"an export of {'these' if ids else 'everything'} is no {kind!r}",
                remedy=f"one of {', '.join(k for k, media in KINDS.items() if ids or media)}",
            )
        if ids:
            asked = [*(("ids", id_) for id_ in ids), ("format", kind)]
            url, accept = f"{OWN}/export", "*/*"
        else:
            asked = [("includeConceptDescriptions", "true")]
            url, accept = "/serialization", KINDS[kind]
        with self._wire.stream(url, asked, accept, timeout_s=FILE_S) as parts:
            yield parts

    # ---- the wire

    def _all(
        self, url: str, params: list[tuple[str, str]], query: Json | None = None
    ) -> Iterator[Twin]:
        return map(Twin, self._wire.pages(url, params, query))

    def _one(self, url: str) -> Twin:
        answer = self._wire.ask("GET", url)
        twin = Twin(decoded(answer, dict[str, Any]))
        tag = answer.headers.get("etag", "").removeprefix("W/").strip('"')
        twin.version = tag or None
        return twin


def _name(class_: Class) -> str:
    return class_.value.replace("_", "-")


def _place(class_: Class, id_: str) -> str:
    return f"/{_name(class_)}/{encode_id(id_)}"


def _element(submodel_id: str, path: str) -> str:
    """Address of an element; of the submodel for an empty path."""
    place = _place(Class.SUBMODEL, submodel_id)
    if not path:
        return place
    parse_path(path)  # a mistake in the path is told here, with its place
    return f"{place}/submodel-elements/{quote(path, safe='[].')}"


def _plain(twin: Json | Typed) -> Json:
    if isinstance(twin, dict):
        return twin
    from aas_core3_1.jsonization import to_jsonable  # noqa: PLC0415 - loads the metamodel

    return dict(cast(Json, to_jsonable(twin)))


def _wire(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value with INF and NaN as the standard writes them, since JSON cannot."""
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "INF", -math.inf: "-INF"}.get(value, "NaN")
    if isinstance(value, dict):
        return {name: _wire(part) for name, part in value.items()}
    return [_wire(part) for part in value] if isinstance(value, list | tuple) else value
