"""The oracle of the query language: a document as flat lines, a field as a pattern over them.

Slow and simple, and another way than that of the platform: `$sme.A.L[0]#value` is a line, and
what `$match` holds together is what the beginnings of the lines have in common.
"""

import re

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def lines(document, roots):
    """Pairs of a line such as `$sm#semanticId.keys[0].value` and the text that stands there."""
    return [pair for root in roots for pair in _of(root, document)]


def _of(root, document):
    if root != "$sme":
        yield from _spread(f"{root}#", document)
        return
    todo = [(f"$sme.{e['idShort']}", e) for e in document.get("submodelElements", [])]
    for name, element in todo:
        inner = element.get("value")
        match element["modelType"]:
            case "SubmodelElementCollection":
                todo += [(f"{name}.{e['idShort']}", e) for e in inner]
            case "SubmodelElementList":
                todo += [(f"{name}[{n}]", e) for n, e in enumerate(inner)]
        rest = {k: v for k, v in element.items() if k != "value"}
        said = [{}]
        if element["modelType"] == "Property" and isinstance(inner, str):
            said = [{"value": inner}]
        if element["modelType"] == "MultiLanguageProperty":
            said = [{"value": t["text"], "language": t["language"]} for t in inner] or [{}]
        for n, one in enumerate(said):
            yield from _spread(f"{name}{{{n}}}#", rest | one)


def _spread(at, it):
    if isinstance(it, str):
        yield at, it
    elif isinstance(it, dict):
        for key, inner in it.items():
            yield from _spread(f"{at}{'' if at.endswith('#') else '.'}{key}", inner)
    elif isinstance(it, list):
        for n, inner in enumerate(it):
            yield from _spread(f"{at}[{n}]", inner)


def pattern(field):
    head, attribute = field.split("#")
    attribute = re.sub(r"(semanticId|externalSubjectId)$", r"\1.keys[0].value", attribute)
    attribute = re.sub(r"^submodels$", "submodels[].keys[0].value", attribute)
    attribute = re.sub(r"keys(\[\d*\])$", r"keys\1.value", attribute)
    root, _, path = head.partition(".")

    def escaped(text):
        return re.escape(text).replace(r"\[\]", r"(\[\d+\])")

    if root != "$sme":
        where = re.escape(root)
    elif path:
        where = rf"\$sme\.(?:.*\.)?{escaped(path)}\{{\d+\}}"
    else:
        where = r"\$sme\.(.+)"
    return re.compile(f"{where}#{escaped(attribute)}")


def found(pairs, field, chosen):
    """The texts of a field whose lines begin with what was chosen in lists."""
    for line, text in pairs:
        if hit := pattern(field).fullmatch(line):
            ends = tuple(line[: hit.end(n)] for n in range(1, hit.re.groups + 1))
            if ends[: len(chosen)] == chosen:
                yield ends, text


def typed(operand, pairs, chosen):
    """Whether it is a field, its type if it has one, its values."""
    ((word, inner),) = operand.items()
    match word:
        case "$field":
            return True, None, [t for _, t in found(pairs, inner, chosen)]
        case "$strVal":
            return False, "str", [inner]
        case "$numVal":
            return False, "num", [float(inner)]
        case "$boolean":
            return False, "bool", [inner]
        case "$numCast" | "$strCast":
            kind = word[1:4]
            _, _, values = typed(inner, pairs, chosen)
            return False, kind, as_kind(values, kind)


def as_kind(values, kind):
    if kind == "num":
        texts = [v if isinstance(v, str) else repr(v) for v in values]
        return [float(t) for t in texts if NUMBER.fullmatch(t)]
    if kind == "bool":
        words = {"true": True, "1": True, "false": False, "0": False}
        return [words[v] for v in values if v in words]
    return [f"{v:.0f}" if isinstance(v, float) and v == int(v) else str(v) for v in values]


COMPARED = {
    "$eq": lambda a, b: a == b,
    "$ne": lambda a, b: a != b,
    "$ge": lambda a, b: a == b if isinstance(a, bool) else a >= b,
    "$le": lambda a, b: a == b if isinstance(a, bool) else a <= b,
    "$gt": lambda a, b: not isinstance(a, bool) and a > b,
    "$lt": lambda a, b: not isinstance(a, bool) and a < b,
    "$contains": lambda a, b: b in a,
    "$starts-with": lambda a, b: a[: len(b)] == b,
    "$ends-with": lambda a, b: len(b) <= len(a) and a[len(a) - len(b) :] == b,
    "$regex": lambda a, b: re.search(b, a) is not None,
}


def fields(condition):
    if isinstance(condition, dict):
        for word, inner in condition.items():
            yield from [inner] if word == "$field" else fields(inner)
    elif isinstance(condition, list):
        for one in condition:
            yield from fields(one)


def holds(condition, pairs, chosen=()):  # noqa: PLR0911 - one a word
    ((word, inner),) = condition.items()
    match word:
        case "$boolean":
            return inner
        case "$and":
            return all(holds(c, pairs, chosen) for c in inner)
        case "$or":
            return any(holds(c, pairs, chosen) for c in inner)
        case "$not":
            return not holds(inner, pairs, chosen)
        case "$match":
            items = {
                ends[: len(chosen) + 1]
                for f in fields(inner)
                for ends, _ in found(pairs, f, chosen)
            }
            return any(all(holds(c, pairs, item) for c in inner) for item in items)
    (left_free, left_kind, left), (right_free, right_kind, right) = (
        typed(o, pairs, chosen) for o in inner
    )
    if left_free and right_free and not (left and right):
        return word in ("$eq", "$ge", "$le") if left == right else word == "$ne"
    kind = left_kind or right_kind or "str"
    left = as_kind(left, kind) if left_kind is None else left if left_kind == kind else []
    right = as_kind(right, kind) if right_kind is None else right if right_kind == kind else []
    return any(COMPARED[word](a, b) for a in left for b in right)
