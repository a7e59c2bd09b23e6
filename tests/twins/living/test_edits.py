"""What people changed in a generated document lives on when it is generated anew."""

import copy

from hypothesis import given
from hypothesis import strategies as st
from tests.twins.living.points import DEMO, made

from lineshaft.twins import Class
from lineshaft.twins.living.edits import edited, edits

VALUES = st.text("ab", max_size=2)
NAMES = st.sampled_from(["A", "B", "C", "D"])


def prop(name, value):
    return {"modelType": "Property", "idShort": name, "valueType": "xs:string", "value": value}


def collection(name, inner):
    return {"modelType": "SubmodelElementCollection", "idShort": name, "value": inner}


PROPS = st.dictionaries(NAMES, VALUES, max_size=4).map(
    lambda d: [prop(name, value) for name, value in d.items()]
)
ELEMENTS = st.builds(
    lambda plain, inner: [*plain, *([collection("Inner", inner)] if inner else [])], PROPS, PROPS
)
SUBMODELS = st.builds(
    lambda elements, short: {
        "modelType": "Submodel",
        "id": "urn:s",
        "idShort": short,
        **({"submodelElements": elements} if elements else {}),
    },
    ELEMENTS,
    NAMES,
)


def values(submodel):
    """What stands in it, by path; the order of elements does not count."""
    found = {"": {k: v for k, v in submodel.items() if k != "submodelElements"}}
    for element in submodel.get("submodelElements", ()):
        inner = element["value"]
        if isinstance(inner, list):
            found |= {f"{element['idShort']}.{e['idShort']}": e for e in inner}
        else:
            found[element["idShort"]] = element
    return found


@given(SUBMODELS)
def test_what_nobody_changed_has_no_edits(base):
    assert not edits(base, copy.deepcopy(base))


@given(SUBMODELS, SUBMODELS)
def test_edits_on_the_same_base_give_what_people_made_of_it(base, now):
    assert values(edited(base, edits(base, now))) == values(now)


ALWAYS = PROPS.map(
    lambda inner: {
        "modelType": "Submodel",
        "id": "urn:s",
        "submodelElements": [prop("X", ""), collection("Inner", [prop("Y", ""), *inner])],
    }
)


@given(ALWAYS, ALWAYS, ALWAYS)
def test_edits_live_on_when_the_base_is_another(base, now, later):
    before, after, next_ = values(base), values(now), values(later)
    merged = values(edited(later, edits(base, now)))
    for path in {*before, *after, *next_}:
        if before.get(path) == after.get(path):  # people left it alone: as generated
            assert merged.get(path) == next_.get(path)
        else:  # people set it, or took it away
            assert merged.get(path) == after.get(path)


def test_a_shell_keeps_the_submodels_that_people_added():
    shell = next(d.obj for d in made(DEMO) if d.class_ is Class.SHELL)
    now = copy.deepcopy(shell)
    own = {"type": "ModelReference", "keys": [{"type": "Submodel", "value": "urn:own"}]}
    now["submodels"].append(own)
    now["description"] = [{"language": "en", "text": "The old one by the door"}]
    later = copy.deepcopy(shell)
    later["submodels"] = later["submodels"][:1]
    merged = edited(later, edits(shell, now))
    assert merged["submodels"] == [*later["submodels"], own]
    assert merged["description"] == now["description"]
