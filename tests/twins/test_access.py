"""Nobody may more than rules, role and branches allow, and lists agree with single answers."""

import asyncio
import random
from contextlib import asynccontextmanager

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Denied, Invalid, Stale
from lineshaft.core.plugin import build
from lineshaft.records import And, Records
from lineshaft.security.access import ROLES, Branches
from lineshaft.twins import Class
from lineshaft.twins.access import COLLECTION, Right
from lineshaft.twins.access.deciding import Access
from lineshaft.twins.access.remembering import LARGE_BYTES
from lineshaft.twins.documents import COLLECTIONS, Documents, Write
from lineshaft.twins.query import compiled
from lineshaft.twins.query.expressions import Truth
from lineshaft.twins.query.searching import search

NOON = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z, a Tuesday


def someone(role="viewer", name="eva", branches=("",)):
    return Identity(name=name, actions=ROLES[role], branches=branches)


ADMIN = someone("admin", "root")


def submodel(id_, *elements, semantic="x", **more):
    keys = [{"type": "GlobalReference", "value": semantic}]
    return {
        "modelType": "Submodel",
        "id": id_,
        "semanticId": {"type": "ExternalReference", "keys": keys},
        "submodelElements": list(elements),
    } | more


def prop(name, value, semantic="p"):
    keys = [{"type": "GlobalReference", "value": semantic}]
    return {
        "modelType": "Property",
        "idShort": name,
        "valueType": "xs:string",
        "value": value,
        "semanticId": {"type": "ExternalReference", "keys": keys},
    }


def rule(*objects, rights=("READ",), formula=None, attributes=None, access="ALLOW", **more):
    return {
        "ACL": {
            "ATTRIBUTES": attributes or [{"CLAIM": "sub"}],
            "RIGHTS": list(rights),
            "ACCESS": access,
        },
        "OBJECTS": list(objects) or [{"ROUTE": "*"}],
        "FORMULA": formula or {"$boolean": True},
    } | more


def model(*rules, **more):
    return {"AllAccessPermissionRules": {"rules": list(rules)} | more}


def equal(left, right):
    return {"$eq": [left, right]}


def field(name):
    return {"$field": name}


def string(it):
    return {"$strVal": it}


def claim(name):
    return {"$attribute": {"CLAIM": name}}


@asynccontextmanager
async def kept(*docs, kind="memory"):
    engine = build(Records, {"kind": kind})
    async with engine.opened([*COLLECTIONS, COLLECTION]):
        documents = Documents(engine)
        for obj, path in docs:
            class_ = Class.SUBMODEL if obj["modelType"] == "Submodel" else Class.SHELL
            write = Write(class_=class_, id=obj["id"], obj=obj, path=path)
            await documents.commit(ADMIN, write)
        yield documents, Access(engine, Branches(), clock=lambda: NOON), engine


async def seen(documents, access, who, right=Right.READ, class_=Class.SUBMODEL):
    """Identifiers that a list gives, which must be those that single questions give."""
    scope = access.scope(who, right, class_)
    every = compiled(class_, Truth(True))
    found, _ = await search(documents, every, allowed=scope.where, keep=scope.keep, limit=1000)
    everything, _ = await documents.find(class_, limit=1000)
    single = [d for d in everything if access.allows(who, right, class_, d, d.path)]
    assert found == single
    narrow, _ = await documents.find(class_, access.predicate(who, right, class_), limit=1000)
    assert {d.id for d in narrow} <= {d.id for d in single}
    return [d.id for d in found]


DOCS = [
    (submodel("a", prop("p1", "1"), prop("p2", "2", "secret")), "acme/press"),
    (submodel("b", prop("p1", "1"), semantic="y"), "acme/saw"),
    (submodel("c", prop("p1", "1")), ""),
]


async def test_without_rules_roles_and_branches_decide():
    async with kept(*DOCS) as (documents, access, _):
        assert await seen(documents, access, someone()) == ["a", "b", "c"]
        assert await seen(documents, access, someone(branches=("acme/press",))) == ["a"]
        assert await seen(documents, access, someone(), Right.UPDATE) == []
        assert await seen(documents, access, someone("engineer"), Right.UPDATE) == ["a", "b", "c"]
        nobody = Identity(name="x", actions=frozenset({Action.OWN}))
        assert await seen(documents, access, nobody) == []
        limited = Identity(name="x", actions=frozenset({Action.OWN}), branches=("acme",))
        assert await seen(documents, access, limited) == []


async def test_once_there_are_rules_nobody_but_an_administrator_may_what_none_allows():
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model())
        for right in Right:
            assert await seen(documents, access, someone("engineer"), right) == []
            assert await seen(documents, access, ADMIN, right) == ["a", "b", "c"]


async def test_a_rule_never_gives_more_than_role_and_branches():
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model(rule(rights=["ALL"])))
        assert await seen(documents, access, someone(), Right.DELETE) == []
        assert await seen(documents, access, someone(), Right.EXECUTE) == []
        assert await seen(documents, access, someone("operator"), Right.EXECUTE) == ["a", "b", "c"]
        inside = someone("engineer", branches=("acme/saw",))
        assert await seen(documents, access, inside, Right.DELETE) == ["b", "c"]


@pytest.mark.parametrize(
    ("objects", "wanted"),
    [
        ([{"ROUTE": "*"}], "abc"),
        ([{"ROUTE": "/submodels/*"}], "abc"),
        ([{"ROUTE": "/submodels/YQ"}], "a"),
        ([{"ROUTE": "/shells/*"}], ""),
        ([{"ROUTE": "/packages"}], ""),
        ([{"IDENTIFIABLE": '$sm("*")'}], "abc"),
        ([{"IDENTIFIABLE": '$sm("b")'}, {"IDENTIFIABLE": '$sm("c*")'}], "bc"),
        ([{"IDENTIFIABLE": '$aas("*")'}], ""),
        ([{"REFERABLE": '$sme("a").p1'}], "a"),
        ([{"DESCRIPTOR": '$smDesc("*")'}], ""),
    ],
)
async def test_objects_are_those_that_a_rule_names(objects, wanted):
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model(rule(*objects)))
        assert await seen(documents, access, someone()) == list(wanted)


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        (equal(field("$sm#semanticId"), string("y")), "b"),
        (equal(claim("sub"), string("eva")), "abc"),
        (equal(claim("sub"), string("adam")), ""),
        (equal(claim("role"), string("operator")), ""),
        (equal(claim("role"), string("viewer")), "abc"),
        (equal(claim("branches"), string("acme")), ""),
        ({"$not": equal(claim("company"), string("rival"))}, ""),
        ({"$regex": [field("$sm#id"), string("^[ab]$")]}, "ab"),
        ({"$contains": [field("$sme#value"), string("2")]}, "a"),
        ({"$gt": [{"$attribute": {"GLOBAL": "UTCNOW"}}, {"$timeVal": "22:00"}]}, "abc"),
        ({"$lt": [{"$attribute": {"GLOBAL": "UTCNOW"}}, {"$timeVal": "22:00"}]}, ""),
        (equal({"$dayOfWeek": {"$attribute": {"GLOBAL": "UTCNOW"}}}, {"$numVal": 2}), "abc"),
        ({"$not": equal(field("$aas#idShort"), string("x"))}, ""),
    ],
)
async def test_formulas_decide_when_a_rule_is_active(formula, wanted):
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model(rule(formula=formula)))
        assert await seen(documents, access, someone()) == list(wanted)


async def test_a_rule_for_an_attribute_that_is_not_known_is_not_active():
    async with kept(*DOCS) as (documents, access, _):
        for attribute, wanted in [
            ({"CLAIM": "company"}, []),
            ({"GLOBAL": "CLIENTNOW"}, []),
            ({"GLOBAL": "ANONYMOUS"}, ["a", "b", "c"]),
        ]:
            await access.replace(ADMIN, model(rule(attributes=[attribute])))
            assert await seen(documents, access, someone()) == wanted


async def test_a_disabled_rule_allows_nothing_and_definitions_are_put_in():
    definitions = {
        "DEFATTRIBUTES": [{"name": "us", "attributes": [{"CLAIM": "sub"}]}],
        "DEFACLS": [
            {"name": "on", "acl": {"USEATTRIBUTES": "us", "RIGHTS": ["READ"], "ACCESS": "ALLOW"}},
            {
                "name": "off",
                "acl": {"USEATTRIBUTES": "us", "RIGHTS": ["READ"], "ACCESS": "DISABLED"},
            },
        ],
        "DEFOBJECTS": [{"name": "b", "objects": [{"IDENTIFIABLE": '$sm("b")'}]}],
        "DEFFORMULAS": [{"name": "true", "formula": {"$boolean": True}}],
    }
    named = {"USEOBJECTS": ["b"], "USEFORMULA": "true"}
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model({"USEACL": "on"} | named, **definitions))
        assert await seen(documents, access, someone()) == ["b"]
        await access.replace(ADMIN, model({"USEACL": "off"} | named, **definitions))
        assert await seen(documents, access, someone()) == []


async def test_elements_that_no_rule_names_are_left_out():
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model(rule({"REFERABLE": '$sme("a").p1'}, rights=["ALL"])))
        doc = await documents.get(Class.SUBMODEL, "a")
        hides = access.hides(someone(), doc)
        assert [p for p in ("p1", "p2") if hides(p)] == ["p2"]
        assert access.hides(ADMIN, doc) is None
        eva = someone("engineer")
        for right in Right:
            assert access.allows(eva, right, doc.class_, doc, doc.path, "p1")
            assert not access.allows(eva, right, doc.class_, doc, doc.path, "p2")
        assert not access.allows(eva, Right.UPDATE, doc.class_, doc, doc.path)


async def test_a_filter_holds_elements_back():
    not_secret = {"$ne": [field("$sme#semanticId"), string("secret")]}
    held_back = {"FRAGMENT": "$sme", "CONDITION": not_secret}
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model(rule(FILTER=held_back)))
        doc = await documents.get(Class.SUBMODEL, "a")
        hides = access.hides(someone(), doc)
        assert [p for p in ("p1", "p2") if hides(p)] == ["p2"]
        assert not access.allows(someone(), Right.READ, doc.class_, doc, doc.path, "p2")
        assert access.allows(someone(), Right.READ, doc.class_, doc, doc.path, "p1")
        await access.replace(ADMIN, model(rule(FILTER=held_back), rule()))
        assert access.hides(someone(), doc) is None


async def test_a_filter_holds_asset_identifiers_back():
    fragment = "$aas#assetInformation.specificAssetIds[]"
    for_us = equal(field(f"{fragment}.externalSubjectId"), claim("sub"))
    subject = {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": "eva"}]}
    ids = [{"name": "ours", "value": "1", "externalSubjectId": subject}, {"name": "n", "value": ""}]
    shell = {
        "modelType": "AssetAdministrationShell",
        "id": "s",
        "assetInformation": {"assetKind": "Instance", "specificAssetIds": ids},
    }
    async with kept((shell, "")) as (documents, access, _):
        doc = await documents.get(Class.SHELL, "s")
        held_back = {"FRAGMENT": fragment, "CONDITION": for_us}
        await access.replace(ADMIN, model(rule(FILTER=held_back)))
        trimmed = access.trimmed(someone(), doc, shell)
        assert trimmed["assetInformation"]["specificAssetIds"] == ids[:1]
        assert shell["assetInformation"]["specificAssetIds"] == ids
        assert access.trimmed(ADMIN, doc, shell) == shell


# ---- keeping them


async def test_rules_are_replaced_by_administrators_with_a_version_and_an_event():
    async with kept() as (_, access, records):
        for who in (someone("engineer"), someone("admin", branches=("acme",))):
            with pytest.raises(Denied):
                await access.replace(who, model())
        assert await access.replace(ADMIN, model(), if_match='"0"') == 1
        with pytest.raises(Stale, match="version 1"):
            await access.replace(ADMIN, model(rule()), if_match='"0"')
        assert await access.replace(ADMIN, model(rule()), if_match='"1"') == 2
        (_, last) = await records.events(kind="twin.rules")
        assert last.event.actor == "root"
        assert last.event.data == {"version": 2, "rules": 1, "before": 1}
        again = Access(records, Branches())
        await again.load()
        assert again.rules == access.rules == (model(rule()), 2)
        await again.replace(ADMIN, {})
        assert again.rules == ({}, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"rules": 5},
        {"rules": [], "more": 1},
        {"rules": [{}]},
        {"rules": [rule(rights=["WRITE"])]},
        {"rules": [rule(access="DENY")]},
        {"rules": [rule({"FRAGMENT": "$sm#semanticId"})]},
        {"rules": [rule({"IDENTIFIABLE": "$sm(a)"})]},
        {"rules": [rule({"REFERABLE": '$sme("a")'})]},
        {"rules": [rule(formula={"$eq": [string("a")]})]},
        {"rules": [rule(formula=equal({"$attribute": {"CLAIM": 5}}, string("a")))]},
        {"rules": [rule(attributes=[{"REFERENCE": '$sme("a").b#value'}])]},
        {"rules": [rule(FILTER={"FRAGMENT": "$sm#idShort", "CONDITION": {"$boolean": True}})]},
        {"rules": [rule() | {"USEOBJECTS": ["nowhere"]}]},
        {"rules": [{"USEACL": "nowhere", "OBJECTS": [], "FORMULA": {"$boolean": True}}]},
        {
            "rules": [rule() | {"USEOBJECTS": ["a"]}],
            "DEFOBJECTS": [{"name": "a", "USEOBJECTS": ["a"]}],
        },
        {"rules": [rule()] * 501},
    ],
)
async def test_rules_that_cannot_be_enforced_are_refused_whole(wrong):
    async with kept(*DOCS) as (documents, access, _):
        with pytest.raises(Invalid):
            await access.replace(ADMIN, wrong)
        assert access.rules == ({}, 0)
        assert await seen(documents, access, someone()) == ["a", "b", "c"]


async def test_more_rules_than_the_records_can_be_asked_for_are_decided_one_by_one():
    async with kept(*DOCS) as (documents, access, _):
        many = [rule({"IDENTIFIABLE": f'$sm("{n}")'}) for n in range(300)]
        await access.replace(ADMIN, model(*many, rule({"IDENTIFIABLE": '$sm("b")'})))
        assert await seen(documents, access, someone()) == ["b"]
        assert await seen(documents, access, someone(branches=("acme/press",))) == []


async def test_rules_that_are_kept_are_in_force_though_the_caller_went_away():
    async with kept(*DOCS) as (documents, access, _):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(access.replace(ADMIN, model()))
            await asyncio.sleep(0)
            task.cancel()
        await access.replace(ADMIN, model(), if_match='"1"')
        assert await seen(documents, access, someone()) == []


# ---- the property


class Maker:
    """Makes rules, documents and people in which the same few words meet often."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def document(self, n):
        elements = [
            prop(name, self.dice.choice("12x"), self.dice.choice("pq"))
            for name in ("p1", "p2", "p3")
            if self.dice.random() < 0.6
        ]
        made = submodel(f"{self.dice.choice('ab')}{n}", *elements, semantic=self.dice.choice("xy"))
        return made, self.dice.choice(["", "acme/press", "acme/pressing", "acme/saw"])

    def formula(self, depth=0):
        if depth < 2 and self.dice.random() < 0.4:
            word = self.dice.choice(["$and", "$or", "$not"])
            parts = [self.formula(depth + 1), self.formula(depth + 1)]
            return {word: parts[0] if word == "$not" else parts}
        texts = [string(t) for t in ("x", "y", "1", "p", "eva", "viewer", "acme/press")]
        left = self.dice.choice(
            [
                *(field(f"$sm#{a}") for a in ("id", "semanticId", "idShort")),
                *(field(f"$sme{a}") for a in ("#value", ".p1#value", "#semanticId")),
                *(claim(c) for c in ("sub", "role", "branches", "company")),
            ]
        )
        word = self.dice.choice(["$eq", "$eq", "$ne", "$contains", "$starts-with", "$regex"])
        return {word: [left, self.dice.choice(texts)]}

    def rule(self):
        objects = self.dice.choice(
            [
                {"ROUTE": "*"},
                {"IDENTIFIABLE": '$sm("*")'},
                {"IDENTIFIABLE": '$sm("a*")'},
                {"IDENTIFIABLE": '$sm("b1")'},
                {"REFERABLE": '$sme("*").p1'},
                {"IDENTIFIABLE": '$aas("*")'},
            ]
        )
        rights = self.dice.sample([r.value for r in Right], 2)
        return rule(objects, rights=rights, formula=self.formula())

    def person(self):
        branches = self.dice.choice([("",), ("acme",), ("acme/press",), ("acme/saw", "x")])
        return someone(self.dice.choice(list(ROLES)), self.dice.choice(["eva", "eva/t"]), branches)


@settings(max_examples=60)
@given(st.integers(0, 2**32))
async def test_lists_give_exactly_what_single_questions_allow(seed):
    maker = Maker(seed)
    async with kept(*(maker.document(n) for n in range(6))) as (documents, access, _):
        await access.replace(ADMIN, model(*(maker.rule() for _ in range(3))))
        for _ in range(3):
            who = maker.person()
            for right in Right:
                await seen(documents, access, who, right)


async def test_what_may_not_be_read_cannot_be_found_by_a_query_either():
    async with kept(*DOCS) as (documents, access, _):
        await access.replace(ADMIN, model(rule({"IDENTIFIABLE": '$sm("b")'})))
        where = access.predicate(someone(), Right.READ, Class.SUBMODEL)
        found, _ = await documents.find(Class.SUBMODEL, And((where,)))
        assert [d.id for d in found] == ["b"]
        assert msgspec.json.decode(found[0].data)["id"] == "b"


async def test_what_is_remembered_of_a_large_document_is_of_its_bytes_and_of_these_rules():
    many = [prop(f"p{n}", "x" * 60, "p") for n in range(600)]
    large = submodel("a", *many)
    async with kept((large, "")) as (documents, access, _):
        filter_ = {
            "FRAGMENT": "$sme",
            "CONDITION": {"$ne": [field("$sme#idShort"), string("p1")]},
        }
        await access.replace(ADMIN, model(rule({"ROUTE": "*"}) | {"FILTER": filter_}))
        doc = await documents.get(Class.SUBMODEL, "a")
        assert len(doc.data) > LARGE_BYTES
        for _ in range(2):
            await access.consider(someone(), doc, Right.UPDATE)
            hidden = access.hides(someone(), doc)
            assert [p for p in ("p0", "p1", "p599") if hidden(p)] == ["p1"]
        other = large | {"submodelElements": [*many[2:], prop("new", "x", "p")]}
        changed = msgspec.structs.replace(doc, data=msgspec.json.encode(other))
        hidden = access.hides(someone(), changed)
        assert [p for p in ("p0", "p2", "new") if hidden(p)] == ["p0"]
        await access.replace(ADMIN, model(rule({"IDENTIFIABLE": '$sm("b")'})))
        assert not access.allows(someone(), Right.READ, Class.SUBMODEL, doc, "")
        await access.replace(ADMIN, model(rule({"ROUTE": "*"})))
        assert access.hides(someone(), doc) is None
