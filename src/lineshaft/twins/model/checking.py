"""Whether what comes is what the standard allows, of the metamodel and of the registries."""

import itertools

import msgspec
from aas_core3_1.jsonization import DeserializationException
from aas_core3_1.types import Class as Typed

from lineshaft.core.errors import Invalid
from lineshaft.twins import Finding, Json
from lineshaft.twins.model import descriptors, metamodel
from lineshaft.twins.model.known import Known
from lineshaft.twins.model.metamodel import DEPTH_MAX

FINDINGS_MAX = 100
"""Further ones are not looked for: who has a hundred mends the cause, not the list."""

_KNOWN = Known()
_TOO_DEEP = Finding(path="", message=f"nested deeper than {DEPTH_MAX}")


class Unfit(Invalid):
    """JSON that the metamodel does not allow."""

    def __init__(self, message: str, findings: list[Finding], *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.findings = findings


def checked(model_type: str, data: bytes) -> Json:
    """The object that `data` holds, decoded and found right.

    Raises:
        Unfit: not JSON, or not what the metamodel allows; the message has the first finding,
            `findings` up to 100.
    """
    try:
        obj: Json = msgspec.json.decode(data)
        findings = check(model_type, obj)
    except RecursionError:
        findings = [_TOO_DEEP]
        obj = {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        findings = [Finding(path="", message=f"not JSON: {error}")]
        obj = {}
    if not findings:
        return obj
    first, more = findings[0], len(findings) - 1
    raise Unfit(
        f"{model_type} {first.path or '(as a whole)'}: {first.message}"
        + (f" ({more} more findings)" if more else ""),
        findings,
        remedy="mend what is named (IDTA-01001 v3.1)",
    )


def check(model_type: str, obj: Json) -> list[Finding]:
    """What is wrong with an object of that type, at most 100 findings; empty if nothing is.

    Wrong shape is found one at a time, broken constraints all at once. Any JSON may come.
    `SubmodelElement` stands for every type of element; the descriptors of the registries and
    `AssetLink` are known, too.

    Raises:
        KeyError: there is no such type; the caller's fault.
    """
    look = descriptors.findings if model_type in descriptors.TYPES else metamodel.findings
    try:
        if model_type == "Submodel" and isinstance(obj, dict) and _is_known(obj):
            return []
        return list(itertools.islice(look(model_type, obj), FINDINGS_MAX))
    except RecursionError:  # within the bound, but the caller stands deep already
        return [_TOO_DEEP]


def _is_known(submodel: Json) -> bool:
    """Whether it is right, found by looking at that alone which was not found right before."""
    rest = _KNOWN.rest(submodel)
    if rest is None or next(metamodel.findings("Submodel", rest), None) is not None:
        return False
    _KNOWN.learn(rest)
    return True


def typed(model_type: str, obj: Json) -> Typed:
    """The object as one of `aas_core3_1.types`, its constraints not verified.

    Raises:
        Unfit: of another shape.
        KeyError: there is no such type.
    """
    read = metamodel.READERS[model_type]
    finding = next(metamodel.shape(obj), None)
    if finding is None:
        try:
            return read(obj)
        except DeserializationException as error:
            finding = metamodel.unreadable(error)
    raise Unfit(f"{model_type} {finding.path}: {finding.message}", [finding])
