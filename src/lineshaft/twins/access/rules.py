"""Access rules, read from their JSON with all names that they use put in.

Source: IDTA-01004 v3.0, Access Rule Model and its JSON schema.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins import Class, Json
from lineshaft.twins.access import Right
from lineshaft.twins.query.expressions import ALL_CLASSES, parse_condition
from lineshaft.twins.query.fields import ROOTS, Wild, parse_field
from lineshaft.twins.query.values import Kind, Value

T = TypeVar("T")

RULES_MAX = 500
"""Most rules."""
RULES_BYTES_MAX = 1_000_000
USES_MAX = 20
"""How deep groups may use other groups."""
GLOBALS = ("LOCALNOW", "UTCNOW", "CLIENTNOW", "ANONYMOUS")


class Object(msgspec.Struct, frozen=True):
    """What a rule is about."""

    class_: Class | None
    """None for every class."""
    id: str = "*"
    """An identifier, a beginning followed by `*`, or `*` for all."""
    path: Wild = ()
    """Of an element: the way to it from the submodel; it and all below are meant."""


class Filter(msgspec.Struct, frozen=True):
    """Which elements or asset identifiers of the object may be seen."""

    root: str
    """`$sme` for elements; `$aas` or `$aasdesc` for the specific asset identifiers."""
    path: Wild
    """Of elements: how their idShortPath ends; of none, all."""
    condition: Json


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that is not disabled."""

    attributes: tuple[Json, ...]
    """What must be known of who asks."""
    rights: frozenset[Right]
    objects: tuple[Object, ...]
    formula: Json
    filters: tuple[Filter, ...] = ()
    timely: bool = False
    """Whether the formula looks at the clock."""


def parse_rules(given: object) -> tuple[Rule, ...]:
    """The rules that are not disabled.

    Raises:
        Invalid: they are not of the model, or say what cannot be enforced here.
    """
    if isinstance(given, dict) and set(given) == {"AllAccessPermissionRules"}:
        given = given["AllAccessPermissionRules"]
    known = {"DEFATTRIBUTES", "DEFACLS", "DEFOBJECTS", "DEFFORMULAS", "rules"}
    if not isinstance(given, dict) or "rules" not in given or not set(given) <= known:
        raise Invalid(
            f"access rules are not an object with rules and perhaps {', '.join(sorted(known))}",
            remedy='Write {"AllAccessPermissionRules": {"rules": []}}.',
        )
    if len(msgspec.json.encode(given)) > RULES_BYTES_MAX:
        raise Invalid(f"access rules have more than {RULES_BYTES_MAX} bytes")
    rules = _list(given["rules"], "rules")
    if len(rules) > RULES_MAX:
        raise Invalid(f"{len(rules)} access rules, wanted at most {RULES_MAX}")
    reader = _Reader(given)
    found = (reader.rule(rule, f"rules[{n}]") for n, rule in enumerate(rules))
    return tuple(rule for rule in found if rule is not None)


class _Reader:
    """Reads rules with the definitions that they use."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._attributes = _named(given, "DEFATTRIBUTES")
        self._acls = _named(given, "DEFACLS")
        self._objects = _named(given, "DEFOBJECTS")
        self._formulas = _named(given, "DEFFORMULAS")

    def rule(self, given: object, at: str) -> Rule | None:
        known = ("ACL", "USEACL", "OBJECTS", "USEOBJECTS", "FORMULA", "USEFORMULA")
        rule = _object(given, at, *known, "FILTER", "FILTERLIST")
        acl = rule["ACL"] if "ACL" in rule else _used(self._acls, rule.get("USEACL"), at)["acl"]
        acl = _object(acl, f"{at}.ACL", "ATTRIBUTES", "USEATTRIBUTES", "RIGHTS", "ACCESS")
        attributes = self._subjects(acl, at)
        rights = _rights(acl.get("RIGHTS"), at)
        if acl.get("ACCESS") not in ("ALLOW", "DISABLED"):
            raise Invalid(f"{at}.ACL.ACCESS: {str(acl.get('ACCESS'))[:40]!r} is not ALLOW")
        objects = self._meant(rule, "OBJECTS", "USEOBJECTS", at, 0)
        formula = self._formula(rule, "FORMULA", at)
        filters = rule.get("FILTERLIST", [rule["FILTER"]] if "FILTER" in rule else [])
        read = Rule(
            attributes=tuple(attributes),
            rights=rights,
            objects=tuple(objects),
            formula=formula,
            filters=tuple(self._filter(f, f"{at}.FILTER") for f in _list(filters, at)),
            timely=any(now in str(formula) + str(filters) for now in GLOBALS[:3]),
        )
        return read if acl["ACCESS"] == "ALLOW" else None

    def _subjects(self, acl: Json, at: str) -> list[Json]:
        found = [check_attribute(a, at) for a in _list(acl.get("ATTRIBUTES", []), at)]
        todo = _names(acl.get("USEATTRIBUTES", []), at)
        for used, name in enumerate(todo):
            group = _used(self._attributes, name, at)
            todo += _names(group.get("USEATTRIBUTES", []), at)
            found += [check_attribute(a, at) for a in _list(group.get("attributes", []), at)]
            if used > USES_MAX:
                raise Invalid(f"{at}: groups of attributes use each other without end")
        if not found:
            raise Invalid(f"{at}.ACL: it names no attribute of who asks")
        return found

    def _meant(self, rule: Json, own: str, used: str, at: str, depth: int) -> list[Object]:
        if depth > USES_MAX:
            raise Invalid(f"{at}: groups of objects use each other without end")
        found = [o for g in _list(rule.get(own, []), at) for o in parse_object(g, f"{at}.{own}")]
        for name in _names(rule.get(used, []), at):
            group = _used(self._objects, name, at)
            found += self._meant(group, "objects", used, at, depth + 1)
        return found

    def _formula(self, rule: Json, own: str, at: str) -> Json:
        if own in rule:
            formula = rule[own]
        else:
            formula = _used(self._formulas, rule.get("USEFORMULA"), at).get("formula")
        parse_condition(ALL_CLASSES, formula, lambda a: check_formula_attribute(a, at))
        return _object(formula, at, *formula)

    def _filter(self, given: object, at: str) -> Filter:
        filter_ = _object(given, at, "FRAGMENT", "CONDITION", "USEFORMULA")
        condition = self._formula(filter_, "CONDITION", at)
        fragment = str(filter_.get("FRAGMENT"))
        if fragment in ASSET_IDS:
            return Filter(fragment.partition("#")[0], (), condition)
        if fragment == "$sme" or (fragment.startswith("$sme.") and "#" not in fragment):
            return Filter("$sme", parse_field(f"{fragment}#value").path, condition)
        raise Invalid(
            f"{at}: the fragment {fragment[:60]!r} cannot be held back",
            remedy=f"Take $sme, $sme.Path.To or {' or '.join(ASSET_IDS)}.",
        )


ASSET_IDS = ("$aas#assetInformation.specificAssetIds[]", "$aasdesc#specificAssetIds[]")
_ROUTES = {
    "shells": Class.SHELL,
    "submodels": Class.SUBMODEL,
    "concept-descriptions": Class.CONCEPT,
    "shell-descriptors": Class.SHELL_DESCRIPTOR,
    "submodel-descriptors": Class.SUBMODEL_DESCRIPTOR,
}
_IDENTIFIABLE = re.compile(r'(\$[a-zA-Z]+)\("(.+)"\)(?:\.(.+))?', re.DOTALL)


def parse_object(given: object, at: str) -> list[Object]:
    """What a rule is about; a route that leads to no documents is about none.

    Raises:
        Invalid: it is none of the model, or cannot be enforced here.
    """
    if not isinstance(given, dict) or len(given) != 1:
        raise Invalid(f"{at}: {str(given)[:60]!r} is not an object with exactly one word")
    ((word, literal),) = given.items()
    if word == "ROUTE" and isinstance(literal, str):
        return _route(literal)
    found = _IDENTIFIABLE.fullmatch(literal) if isinstance(literal, str) else None
    root = found[1].lower() if found else ""
    wanted = {
        "IDENTIFIABLE": ("$aas", "$sm", "$cd"),
        "DESCRIPTOR": ("$aasdesc", "$smdesc"),
        "REFERABLE": ("$sme",),
    }.get(word, ())
    if found and root in wanted and bool(found[3]) == (root == "$sme"):
        path = parse_field(f"$sme.{found[3]}#value").path if found[3] else ()
        return [Object(ROOTS[root], found[2], path)]
    raise Invalid(
        f"{at}: the object {word!r} {str(literal)[:60]!r} cannot be enforced",
        remedy='Take ROUTE "*", IDENTIFIABLE $sm("…"), REFERABLE $sme("…").Path and the like.',
    )


def _route(literal: str) -> list[Object]:
    if literal == "*":
        return [Object(None)]
    first, _, rest = re.sub(r"^/api/v3(\.[01])?", "", literal).removeprefix("/").partition("/")
    class_ = _ROUTES.get(first.removesuffix("*"))
    if class_ is None:
        return []
    id_, slash, below = rest.partition("/")
    if id_ in ("", "*"):
        return [Object(class_)]
    if slash and below != "*":
        return []
    try:
        bare = id_.removesuffix("*")
        return [Object(class_, base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode())]
    except (binascii.Error, ValueError):
        return []


def check_attribute(given: object, at: str) -> Json:
    """An attribute of who asks, as it is.

    Raises:
        Invalid: it is none of the model.
    """
    if isinstance(given, dict) and len(given) == 1:
        ((word, name),) = given.items()
        if isinstance(name, str) and (word == "CLAIM" or (word == "GLOBAL" and name in GLOBALS)):
            return given
    raise Invalid(
        f"{at}: the attribute {str(given)[:60]!r} cannot be had",
        remedy="Take CLAIM or GLOBAL; a REFERENCE to another document is not supported.",
    )


def check_formula_attribute(given: Json, at: str) -> tuple[Value, ...]:
    """A stand-in of the right type, by which a formula is checked before anybody asks."""
    check_attribute(given, at)
    if given.get("GLOBAL") in GLOBALS[:3]:
        return (Value(Kind.DATETIME, 0),)
    return (Value(Kind.STR, ""),)


def _named(given: Mapping[str, Any], key: str) -> dict[str, Json]:
    found = {}
    for n, one in enumerate(_list(given.get(key, []), key)):
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise Invalid(f"{key}[{n}]: it has no name")
        found[one["name"]] = one
    return found


def _used(defined: Mapping[str, Json], name: object, at: str) -> Json:
    if not isinstance(name, str) or name not in defined:
        raise Invalid(f"{at}: {str(name)[:40]!r} is not defined", remedy=f"Take {sorted(defined)}.")
    return defined[name]


def _names(given: object, at: str) -> list[object]:
    return [given] if isinstance(given, str) else list(_list(given, at))


def _list(given: object, at: str) -> list[Any]:
    if not isinstance(given, list):
        raise Invalid(f"{at}: {str(given)[:40]!r} is not a list")
    return given


def _object(given: object, at: str, *known: str) -> Json:
    if not isinstance(given, dict) or not set(given) <= set(known):
        raise Invalid(f"{at}: wanted an object with {', '.join(known)}")
    return given


def _rights(given: object, at: str) -> frozenset[Right]:
    words = _list(given, f"{at}.ACL.RIGHTS")
    if "ALL" in words:
        return frozenset(Right)
    try:
        return frozenset(map(Right, words))
    except ValueError as error:
        raise Invalid(f"{at}.ACL.RIGHTS: {error}", remedy="Take READ and the like.") from None


Resolve = Callable[[Json], tuple[Value, ...]]
