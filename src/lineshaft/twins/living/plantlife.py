"""The life in the twins: fresh values over stored documents, writes and calls to machines."""

from collections.abc import Mapping

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.errors import Missing, Refused
from lineshaft.core.point import Value
from lineshaft.core.quality import is_bad, quality_name
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.api.services import Unbound
from lineshaft.twins.documents import Documents
from lineshaft.twins.living import Latest, Machines
from lineshaft.twins.living.bindings import Bindings, Script
from lineshaft.twins.living.carbon import PCF, PUBLISHED
from lineshaft.twins.living.carbon import SEMANTIC as CARBON
from lineshaft.twins.living.contributions import Contributions
from lineshaft.twins.living.footprints import Footprints
from lineshaft.twins.living.records import Reader
from lineshaft.twins.living.timeseries import SEMANTIC as TIME_SERIES
from lineshaft.twins.model import xsd
from lineshaft.twins.model.elements import find
from lineshaft.twins.model.paths import Steps, parse_path, path_text
from lineshaft.twins.model.values import value_of
from lineshaft.twins.plug.formulas import worked_out

Inputs = tuple[tuple[str, str], ...]
Told = tuple[Mapping[str, Value | None], int, int] | None
"""Values by sink, their time and quality; None when no source has a value."""
QUALITY = "urn:lineshaft:quality"
"""Type of the qualifier that says why a value is not good."""


class Plantlife:
    """Answers for what is bound to the plant."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        *,
        documents: Documents,
        bindings: Bindings,
        latest: Latest,
        machines: Machines,
        reader: Reader,
        footprints: Footprints,
        contributions: Contributions,
    ) -> None:
        self._documents, self._bindings = documents, bindings
        self._latest, self._machines = latest, machines
        self._reader, self._footprints = reader, footprints
        self._contributions = contributions

    # ---- reading

    def lives(self, document: Document) -> bool:
        """Whether something in the document has its value from the plant."""
        if document.class_ is not Class.SUBMODEL:
            return False
        return (
            bool(self._bindings.shown(document.id, document.path))
            or bool(self._bindings.scripts(document.id, document.path))
            or self._contributions.lives(document)
            or self._footprint(document) is not None
        )

    def _footprint(self, document: Document) -> float | None:
        return self._footprints.of(document.path) if CARBON.encode() in document.data else None

    def overlay(self, document: Document) -> Json | None:
        """The document with its bound values as they are now; None when nothing in it is bound."""
        if not self.lives(document):
            return None
        bound = self._bindings.shown(document.id, document.path)
        footprint = self._footprint(document)
        obj: Json = msgspec.json.decode(document.data)
        for path, point in bound.items():
            element = _found(obj, path)
            if element is not None:
                _show(element, self._latest.latest(point))
        self._show_scripts(document, obj)
        for path, value in self._contributions.values(document).items():
            element = _found(obj, path)
            if element is not None:
                _set(element, value)
        if footprint is not None and (element := _found(obj, PCF)) is not None:
            element["value"] = f"{footprint:.6f}"
            if (told := _found(obj, PUBLISHED)) is not None:
                told["value"] = to_iso(now_ns())
        return obj

    def _show_scripts(self, document: Document, obj: Json) -> None:
        """Set what is worked out in `obj`; a script is worked out once for all of its sinks."""
        worked: dict[tuple[int, Inputs], Told] = {}
        for path, script in self._bindings.scripts(document.id, document.path).items():
            element = _found(obj, path)
            if element is not None:
                one = (id(script.formula), script.inputs)
                if one not in worked:
                    worked[one] = self._worked_out(script)
                _show(element, _of_sink(worked[one], script.sink))

    def _worked_out(self, script: Script) -> Told:
        """What a script says now of each sink; bad when one of its sources is."""
        samples = {name: self._latest.latest(point) for name, point in script.inputs}
        known = [s for s in samples.values() if s is not None]
        if not known:
            return None
        worst = max((s.quality for s in known), key=lambda q: q >> 30)
        good = {n: s.value for n, s in samples.items() if s and not is_bad(s.quality)}
        return worked_out(script.formula, good), max(s.time_ns for s in known), worst

    # ---- writing

    def binds(self, submodel_id: str, steps: Steps) -> bool:
        """Whether the value of the element at the path is that of a machine."""
        return path_text(steps) in self._bindings.of(submodel_id)

    async def set_values(
        self, who: Identity, submodel_id: str, steps: Steps, value: object
    ) -> set[Steps]:
        """Write to the machines what is bound at or below the path; the paths that were taken.

        A value that is the newest one already is not written again, so that what was read as a
        whole may be sent back with one value changed.

        Raises:
            Denied: `who` may not write one of the points.
            Refused: the guard says no to one, and nothing is written; or a machine does, and it
                is told which were written.
            LinkLost: a machine does not answer; it is told which were written.
        """
        bound = {parse_path(p): point for p, point in self._bindings.of(submodel_id).items()}
        below = {at: point for at, point in bound.items() if at[: len(steps)] == steps}
        document = await self._documents.get(Class.SUBMODEL, submodel_id)
        if document is None:
            raise Missing(f"there is no submodel {submodel_id!r}")
        made = self._made(document, steps, value)
        if not below:
            return made
        fresh = self.overlay(document) or {}
        wanted: dict[str, Value] = {}
        for at, point in below.items():
            said, given = _within(value, at[len(steps) :])
            if said and given is not None and given != value_of(find(fresh, at)):
                new = _as_value(path_text(at), given)
                if wanted.setdefault(point, new) != new:
                    raise Refused(f"{point} is given two values, {wanted[point]!r} and {new!r}")
        if wanted:
            await self._machines.write(who, wanted)
        if steps in below:  # else what is not bound is written to the document, and told with it
            detail = {"method": "PATCH", "idShortPath": path_text(steps)}
            await self._documents.note(who, "twin.value", document, detail)
        return set(below) | made

    def _made(self, document: Document, steps: Steps, value: object) -> set[Steps]:
        """Elements at or below the path whose values are worked out, and so are not set.

        Raises:
            Refused: the value says another than is worked out.
        """
        found = {parse_path(p) for p in self._bindings.scripts(document.id, document.path)}
        below = {at for at in found if at[: len(steps)] == steps}
        fresh = (self.overlay(document) or {}) if below else {}
        for at in below:
            said, given = _within(value, at[len(steps) :])
            if said and given is not None and given != value_of(find(fresh, at)):
                raise Refused(
                    f"{path_text(at)} of {document.id!r} is worked out by a mapping",
                    remedy="Set the properties that it is worked out of, or unplug the machine.",
                )
        return below

    # ---- calling

    async def invoke(
        self, who: Identity, submodel_id: str, steps: Steps, inputs: Json, timeout_s: float
    ) -> Json:
        """Carry out the operation at the path; its outputs by idShort, values or whole elements.

        Raises:
            Unbound: nothing carries it out.
            Invalid: an input is not what it must be.
            Denied, Refused, LinkLost: the caller may not, or the machine says no or nothing.
        """
        document = await self._documents.get(Class.SUBMODEL, submodel_id)
        if document is not None and document.path and TIME_SERIES.encode() in document.data:
            outputs = await self._reader.carry_out(who, document, path_text(steps), inputs)
            if outputs is not None:
                return outputs
        method = self._bindings.of(submodel_id).get(path_text(steps))
        if method is None:
            raise Unbound(
                f"operation {path_text(steps)!r} of submodel {submodel_id!r} is bound to nothing",
                remedy="Bind it to a method of a machine.",
            )
        given = {name: _as_value(name, v) for name, v in inputs.items()}
        return await self._machines.call(who, method, given)


def _of_sink(told: Told, sink: str) -> Sample | None:
    return None if told is None else Sample("", told[1], told[0].get(sink), told[2])


def _found(obj: Json, path: str) -> Json | None:
    try:
        return find(obj, parse_path(path))
    except Missing:  # people took it out
        return None


def _set(element: Json, value: Value | None) -> None:
    """A value as text of the type that the element has; None is no value."""
    if element.get("modelType") != "Property":
        return
    text = None
    if value is not None:
        text = xsd.from_json(str(element.get("valueType", "xs:string")), value)
    element.pop("value", None)
    if text is not None:
        element["value"] = text


def _show(element: Json, sample: Sample | None) -> None:
    """The newest sample as the value; a bad one is no value, and its quality says why."""
    if element.get("modelType") != "Property":
        return
    text = None
    if sample is not None and sample.value is not None and not is_bad(sample.quality):
        text = xsd.from_json(str(element.get("valueType", "xs:string")), sample.value)
        if text is None:  # the type that people chose takes it as text, if at all
            text = str(sample.value) if element.get("valueType") == "xs:string" else None
    element.pop("value", None)
    if text is not None:
        element["value"] = text
    if sample is not None and sample.quality:
        qualifier = {
            "kind": "ValueQualifier",
            "type": QUALITY,
            "valueType": "xs:string",
            "value": quality_name(sample.quality),
        }
        element["qualifiers"] = [*element.get("qualifiers", []), qualifier]


def _within(value: object, steps: Steps) -> tuple[bool, object]:
    """Whether a value in the form of `$value` says something of a path below it, and what."""
    for step in steps:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return False, None
            value = value[step]
        else:
            inner = value.get("statements", value) if isinstance(value, Mapping) else None
            if not isinstance(inner, Mapping) or step not in inner:
                return False, None
            value = inner[step]
    return True, value


def _as_value(path: str, value: object) -> Value:
    if isinstance(value, bool | int | float | str):
        return value
    raise Refused(f"{path}: {value!r:.60} is no value that a machine takes")
