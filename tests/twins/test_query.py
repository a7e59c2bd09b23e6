"""What a query finds is what reading every document finds."""

import random
import tempfile
from contextlib import AsyncExitStack

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.twins import flat

from lineshaft.core.access import Identity
from lineshaft.core.errors import Invalid
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.twins import Class, index
from lineshaft.twins.documents import Documents, Write
from lineshaft.twins.query import compile_query, linking, narrowing, searching
from lineshaft.twins.query.searching import search

EVA = Identity(name="eva")
NAMES = ["Aa", "Bb", "Cc"]
TEXTS = ["5", "5.0", "-3", "x", "X", "xy", "true", ""]
REFERENCE = ["", ".type", ".keys[]", ".keys[0].value", ".keys[1].value", ".keys[].value"]
OF_SUBMODEL = [
    *("$sm#id", "$sm#idShort"),
    *(f"$sm#semanticId{r}" for r in REFERENCE),
    *(
        f"$sme{path}#{attribute}"
        for path in ["", "", "", ".Aa", ".Bb", ".Aa.Bb", ".Aa[]", ".Aa[1]", ".Bb[].Aa", ".Aa[][]"]
        for attribute in [
            *("value", "value", "idShort", "valueType", "language", "semanticId"),
            *("semanticId.keys[].value", "supplementalSemanticIds[].keys[].value"),
        ]
    ),
]
OF_SHELL = [
    *("$aas#id", "$aas#idShort", "$aas#submodels", "$aas#submodels[0].keys[].value"),
    *(f"$aas#assetInformation.{a}" for a in ("assetKind", "assetType", "globalAssetId")),
    *(
        f"$aas#assetInformation.specificAssetIds{i}.{a}"
        for i in ("[]", "[]", "[1]")
        for a in ("name", "value", "externalSubjectId", "externalSubjectId.keys[].value")
    ),
]
LISTS = ["$sme#", "$sme.Aa[]#", "$sme.Bb[].Aa#", "$aas#assetInformation.specificAssetIds[]"]


class Maker:
    """Makes documents and conditions in which the same few names and texts meet often."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def some(self, make, most):
        return [make() for _ in range(self.dice.randint(0, most))]

    def maybe(self, **more):
        return {k: make() for k, make in more.items() if self.dice.random() < 0.6}

    def text(self):
        return self.dice.choice(TEXTS)

    def name(self):
        return self.dice.choice(NAMES)

    def reference(self):
        values = [self.text() for _ in range(self.dice.randint(1, 2))]
        keys = [{"type": "GlobalReference", "value": v} for v in values]
        return {"type": "ExternalReference", "keys": keys}

    def references(self):
        return self.some(self.reference, 2)

    def semantics(self):
        return self.maybe(semanticId=self.reference, supplementalSemanticIds=self.references)

    def element(self, depth=0):
        kind = self.dice.choice(["Property"] * 3 + ["MultiLanguageProperty", "Capability"])
        if depth < 3 and self.dice.random() < 0.5:
            kind = self.dice.choice(["SubmodelElementCollection", "SubmodelElementList"])
        made = {"modelType": kind, "idShort": self.name()} | self.semantics()
        match kind:
            case "Property":
                made |= {"valueType": self.dice.choice(["xs:int", "xs:string"])}
                made |= self.maybe(value=self.text)
            case "MultiLanguageProperty":
                languages = self.some(lambda: self.dice.choice(["x", "xy"]), 2)
                made["value"] = [{"language": one, "text": self.text()} for one in languages]
            case "SubmodelElementCollection":
                made["value"] = self.elements(depth + 1)
            case "SubmodelElementList":
                made["value"] = self.some(lambda: self.element(depth + 1), 3)
        return made

    def elements(self, depth=0):
        """Siblings have different names; an idShortPath means one element."""
        made = self.some(lambda: self.element(depth), 4)
        return list({one["idShort"]: one for one in made}.values())

    def submodel(self):
        made = {"modelType": "Submodel", "submodelElements": self.elements()}
        return made | self.semantics() | self.maybe(idShort=self.name)

    def asset_id(self):
        made = {"name": self.dice.choice(["x", "xy", "globalAssetId"]), "value": self.text()}
        return made | self.maybe(externalSubjectId=self.reference)

    def shell(self):
        asset = {"assetKind": self.dice.choice(["Instance", "Type"])}
        asset |= self.maybe(assetType=self.text, globalAssetId=self.text)
        asset["specificAssetIds"] = self.some(self.asset_id, 3)
        made = {"modelType": "AssetAdministrationShell", "assetInformation": asset}
        return made | self.maybe(idShort=self.name, submodels=self.references)

    def literal(self):
        if self.dice.random() < 0.3:
            return {"$numVal": self.dice.choice([5, 5.0, -3, 0])}
        return {"$strVal": self.dice.choice([*TEXTS, *NAMES, "Instance", "xs:int", "d1"])}

    def comparison(self, fields):
        field = {"$field": self.dice.choice(fields)}
        words = ["$eq"] * 4 + ["$ne", "$gt", "$ge", "$lt", "$le"]
        match self.dice.randint(0, 9):
            case 0:
                word = self.dice.choice(["$contains", "$starts-with", "$ends-with"])
                return {word: [field, {"$strVal": self.text()}]}
            case 1:
                pattern = self.dice.choice(["x", "^x", "x+y?$", "[a-z]", "^$"])
                return {"$regex": [field, {"$strVal": pattern}]}
            case 2:
                other = {"$field": self.dice.choice(fields)}
            case 3:
                other = {"$numCast": {"$field": self.dice.choice(fields)}}
            case 4:
                other = {"$boolean": self.dice.random() < 0.5}
            case 5:
                field, other = {"$strCast": field}, self.literal()
            case _:
                other = self.literal()
        sides = [field, other] if self.dice.random() < 0.7 else [other, field]
        return {self.dice.choice(words): sides}

    def match(self, fields):
        groups = [g for start in LISTS if (g := [f for f in fields if f.startswith(start)])]
        group = self.dice.choice(groups)
        parts = []
        for _ in range(self.dice.randint(1, 3)):
            word = self.dice.choice(["$eq", "$eq", "$ne", "$lt", "$ge"])
            parts.append({word: [{"$field": self.dice.choice(group)}, self.literal()]})
        return {"$match": parts}

    def condition(self, fields, depth=0):
        roll = self.dice.random()
        if depth < 3 and roll < 0.45:
            word = self.dice.choice(["$and", "$or", "$not"])
            if word == "$not":
                return {word: self.condition(fields, depth + 1)}
            return {word: [self.condition(fields, depth + 1) for _ in range(2)]}
        return self.match(fields) if roll < 0.65 else self.comparison(fields)


async def agree(kind, class_, kept, asked, limit):
    roots = {Class.SHELL: ["$aas"], Class.SUBMODEL: ["$sm", "$sme"]}[class_]
    kept = {f"d{n}": one | {"id": f"d{n}"} for n, one in enumerate(kept)}
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        table = {"kind": kind} | ({"path": f"{folder}/r"} if kind == "sqlite" else {})
        engine = build(Records, table)
        await stack.enter_async_context(engine.opened([index.COLLECTIONS[class_]]))
        documents = Documents(engine)
        await documents.commit(
            EVA, *(Write(class_=class_, id=id_, obj=one) for id_, one in kept.items())
        )
        for condition in asked:
            wanted = [
                id_ for id_, one in kept.items() if flat.holds(condition, flat.lines(one, roots))
            ]
            query = compile_query(class_, {"$condition": condition})
            opened = [id_ for id_, one in kept.items() if query.fits(one)]
            assert opened == wanted, condition
            assert await pages(documents, query, limit) == wanted, condition


async def pages(documents, query, limit):
    found, cursor = [], ""
    while True:
        some, cursor = await search(documents, query, cursor=cursor, limit=limit)
        found += [d.id for d in some]
        assert len(some) <= limit
        if not cursor:
            return found


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("class_", [Class.SUBMODEL, Class.SHELL], ids=lambda c: c.value)
@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 2**32))
async def test_documents_are_found_as_the_oracle_finds_them(kind, class_, seed):
    maker = Maker(seed)
    made = maker.submodel if class_ is Class.SUBMODEL else maker.shell
    fields = OF_SUBMODEL if class_ is Class.SUBMODEL else OF_SHELL
    asked = [maker.condition(fields) for _ in range(40)]
    await agree(kind, class_, [made() for _ in range(5)], asked, maker.dice.randint(1, 3))


# ---- examples


SUBMODEL = {
    "modelType": "Submodel",
    "idShort": "Data",
    "submodelElements": [
        {
            "modelType": "SubmodelElementList",
            "idShort": "Rows",
            "value": [
                {
                    "modelType": "SubmodelElementCollection",
                    "value": [
                        {"modelType": "Property", "idShort": name, "value": value}
                        for name, value in row.items()
                    ],
                }
                for row in (
                    {"when": "2024-02-29T23:30:00Z", "on": "true", "hex": "16#0F"},
                    {"when": "2023-01-01T08:00:00+01:00", "on": "false", "hex": "FF"},
                )
            ],
        },
        {
            "modelType": "MultiLanguageProperty",
            "idShort": "Name",
            "value": [{"language": "de", "text": "X"}, {"language": "en", "text": "Press x"}],
        },
        {"modelType": "Entity", "idShort": "Part", "statements": [{"idShort": "hidden"}]},
    ],
}
WHEN, ON, HEX = ({"$field": f"$sme.Rows[].{a}#value"} for a in ("when", "on", "hex"))


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"$eq": [WHEN, {"$dateTimeVal": "2023-01-01T07:00:00Z"}]}, True),
        ({"$lt": [WHEN, {"$dateTimeVal": "2023-01-01T07:00:00Z"}]}, False),
        ({"$eq": [WHEN, {"$timeVal": "23:30"}]}, True),
        ({"$eq": [{"$timeCast": WHEN}, {"$timeVal": "07:00:00"}]}, True),
        ({"$eq": [{"$dayOfMonth": {"$dateTimeCast": WHEN}}, {"$numVal": 29}]}, True),
        ({"$eq": [{"$dayOfWeek": {"$dateTimeCast": WHEN}}, {"$numVal": 7}]}, True),
        ({"$eq": [{"$month": "2024-02-29T23:30:00Z"}, {"$numVal": 2}]}, True),
        ({"$eq": [{"$year": {"$dateTimeVal": "2024-02-29T23:30:00Z"}}, {"$numVal": 2023}]}, False),
        ({"$eq": [ON, {"$boolean": True}]}, True),
        ({"$gt": [ON, {"$boolean": False}]}, False),
        ({"$ge": [ON, {"$boolean": False}]}, True),
        ({"$eq": [HEX, {"$hexVal": "16#F"}]}, True),
        ({"$gt": [HEX, {"$hexVal": "16#FE"}]}, True),
        ({"$eq": [{"$numCast": {"$hexCast": HEX}}, {"$numVal": 255}]}, True),
        ({"$eq": [{"$numVal": 13}, {"$strVal": "13"}]}, False),
        ({"$eq": [{"$strCast": {"$numVal": 13}}, {"$strVal": "13"}]}, True),
        ({"$gt": [{"$strVal": "11"}, {"$strVal": "2"}]}, False),
        ({"$boolCast": {"$field": "$sme.Rows[0].on#value"}}, True),
        ({"$boolCast": {"$field": "$sme.Rows[1].on#value"}}, False),
        ({"$contains": [{"$field": "$sme.Name#value"}, {"$strVal": "press"}]}, False),
        ({"$contains": [{"$field": "$sme.Name#value"}, {"$strVal": "Press"}]}, True),
        ({"$eq": [{"$field": "$sme#idShort"}, {"$strVal": "hidden"}]}, False),
        (
            {
                "$match": [
                    {"$eq": [{"$field": "$sme#value"}, {"$strVal": "X"}]},
                    {"$eq": [{"$field": "$sme#language"}, {"$strVal": "en"}]},
                ]
            },
            False,
        ),
        (
            {
                "$match": [
                    {"$eq": [WHEN, {"$timeVal": "07:00"}]},
                    {"$eq": [ON, {"$strVal": "true"}]},
                ]
            },
            False,
        ),
        (
            {
                "$match": [
                    {"$eq": [WHEN, {"$timeVal": "07:00"}]},
                    {"$eq": [ON, {"$strVal": "false"}]},
                ]
            },
            True,
        ),
        (
            {"$and": [{"$eq": [WHEN, {"$timeVal": "07:00"}]}, {"$eq": [ON, {"$strVal": "true"}]}]},
            True,
        ),
    ],
)
async def test_values_are_read_as_the_type_that_they_are_compared_with(condition, wanted):
    query = compile_query(Class.SUBMODEL, {"$condition": condition})
    assert query.fits(SUBMODEL | {"id": "a"}) is wanted
    engine = build(Records, {"kind": "memory"})
    async with engine.opened([index.COLLECTIONS[Class.SUBMODEL]]):
        documents = Documents(engine)
        await documents.commit(EVA, Write(class_=Class.SUBMODEL, id="a", obj=SUBMODEL))
        assert await pages(documents, query, 1) == ["a"] * wanted


def shell_with(*ids):
    return {
        "assetInformation": {
            "specificAssetIds": [
                {
                    "name": name,
                    "externalSubjectId": {"keys": [{"type": "a", "value": v} for v in values]},
                }
                for name, *values in ids
            ]
        }
    }


def test_a_match_inside_a_match_looks_only_inside_the_item_that_was_chosen():
    start = "$aas#assetInformation.specificAssetIds[]"

    def one(field, value):
        return {"$eq": [{"$field": f"{start}.{field}"}, {"$strVal": value}]}

    subject = "externalSubjectId.keys[]"
    inner = {"$match": [one(f"{subject}.value", "us"), one(f"{subject}.type", "a")]}
    query = compile_query(Class.SHELL, {"$condition": {"$match": [one("name", "serial"), inner]}})
    assert query.fits(shell_with(("part", "x"), ("serial", "them", "us")))
    assert not query.fits(shell_with(("part", "us"), ("serial", "them")))


async def test_shells_and_submodels_are_asked_together():
    def refers(*ids):
        keys = [[{"type": "Submodel", "value": id_}] for id_ in ids]
        return [{"type": "ModelReference", "keys": one} for one in keys]

    def with_prop(name, value):
        made = {"modelType": "Property", "idShort": name, "value": value}
        return {"modelType": "Submodel", "idShort": name, "submodelElements": [made]}

    def equal(field, value):
        return {"$eq": [{"$field": field}, {"$strVal": value}]}

    shells = {"s1": ("A", ["a", "b"]), "s2": ("B", ["b"]), "s3": ("A", ["c"]), "s4": ("A", [])}
    submodels = {"a": ("Xx", "1"), "b": ("Yy", "2"), "c": ("Xx", "2"), "d": ("Xx", "2")}
    hidden: set[str] = set()

    def scope_of(class_):
        return searching.Scope(None, lambda d: d.id not in hidden)

    engine = build(Records, {"kind": "memory"})
    async with engine.opened([index.COLLECTIONS[c] for c in (Class.SHELL, Class.SUBMODEL)]):
        documents = Documents(engine)
        for id_, (name, ids) in shells.items():
            obj = {"idShort": name, "submodels": refers(*ids)}
            await documents.commit(EVA, Write(class_=Class.SHELL, id=id_, obj=obj))
        for id_, (name, value) in submodels.items():
            obj = with_prop(name, value)
            await documents.commit(EVA, Write(class_=Class.SUBMODEL, id=id_, obj=obj))

        async def found(class_, condition):
            query = compile_query(class_, {"$condition": condition})
            ready = await linking.linked(documents, query, scope_of)
            return await pages(documents, ready, 2)

        named_x, value_2 = equal("$sm#idShort", "Xx"), equal("$sme#value", "2")
        named_a = equal("$aas#idShort", "A")
        assert await found(Class.SHELL, named_x) == ["s1", "s3"]
        assert await found(Class.SHELL, {"$and": [named_x, value_2]}) == ["s3"]
        assert await found(Class.SHELL, {"$and": [named_a, named_x, value_2]}) == ["s3"]
        assert await found(Class.SHELL, {"$and": [named_a, value_2]}) == ["s1", "s3"]
        assert await found(Class.SHELL, {"$or": [{"$not": named_a}, named_x]}) == ["s1", "s2", "s3"]
        assert await found(Class.SUBMODEL, named_a) == ["a", "b", "c"]
        assert await found(Class.SUBMODEL, {"$and": [named_a, value_2]}) == ["b", "c"]
        assert await found(Class.SUBMODEL, {"$and": [equal("$aas#idShort", "No"), value_2]}) == []
        hidden |= {"c", "s1"}
        assert await found(Class.SHELL, named_x) == ["s1"]
        assert await found(Class.SUBMODEL, named_a) == ["c"]
        mixed = {"$eq": [{"$field": "$sm#idShort"}, {"$field": "$aas#idShort"}]}
        with pytest.raises(Invalid, match="one comparison"):
            await found(Class.SHELL, mixed)
        with pytest.raises(Invalid, match="another class"):
            await search(documents, compile_query(Class.SHELL, {"$condition": named_x}))


async def test_a_part_that_too_many_of_the_other_class_answer_is_refused(monkeypatch):
    monkeypatch.setattr(linking, "IDS_MAX", 2)
    engine = build(Records, {"kind": "memory"})
    async with engine.opened([index.COLLECTIONS[Class.SUBMODEL]]):
        documents = Documents(engine)
        for n in range(3):
            obj = {"idShort": "Xx"}
            await documents.commit(EVA, Write(class_=Class.SUBMODEL, id=f"{n}", obj=obj))
        named = {"$eq": [{"$field": "$sm#idShort"}, {"$strVal": "Xx"}]}
        query = compile_query(Class.SHELL, {"$condition": named})
        with pytest.raises(Invalid, match="too many submodels"):
            await linking.linked(documents, query, lambda c: searching.Scope(None, None))


WRONG = [
    None,
    {},
    {"$condition": {}, "$select": "idShort"},
    {"$condition": {"$boolean": True}, "$more": 1},
    {"$condition": {"$boolean": "yes"}},
    {"$condition": {"$and": [{"$boolean": True}]}},
    {"$condition": {"$not": []}},
    {"$condition": {"$eq": [{"$strVal": "a"}]}},
    {"$condition": {"$eq": [{"$strVal": 5}, {"$strVal": "a"}]}},
    {"$condition": {"$eq": [{"$numVal": True}, {"$numVal": 1}]}},
    {"$condition": {"$eq": [{"$hexVal": "FF"}, {"$numVal": 1}]}},
    {"$condition": {"$eq": [{"$timeVal": "25:00"}, {"$numVal": 1}]}},
    {"$condition": {"$eq": [{"$dateTimeVal": "today"}, {"$numVal": 1}]}},
    {"$condition": {"$eq": [{"$attribute": {"CLAIM": "sub"}}, {"$strVal": "a"}]}},
    {"$condition": {"$regex": [{"$field": "$sm#id"}, {"$field": "$sm#idShort"}]}},
    {"$condition": {"$regex": [{"$field": "$sm#id"}, {"$strVal": "("}]}},
    {"$condition": {"$match": []}},
    {"$condition": {"$match": [{"$and": [{"$boolean": True}, {"$boolean": True}]}]}},
    {"$condition": {"$match": [{"$eq": [{"$field": "$sm#id"}, {"$strVal": "a"}]}]}},
    {"$condition": {"$match": [{"$eq": [{"$numVal": 1}, {"$numVal": 1}]}]}},
    {
        "$condition": {
            "$match": [
                {"$eq": [{"$field": "$sme.Aa[]#value"}, {"$strVal": "a"}]},
                {"$eq": [{"$field": "$sme.Bb[]#value"}, {"$strVal": "a"}]},
            ]
        }
    },
    *(
        {"$condition": {"$eq": [{"$field": f}, {"$strVal": "a"}]}}
        for f in (
            *("", "#", "$sm", "$sm#", "$sm#value", "$sme.#value", "$sme..a#value", "$cd#id"),
            *("$sme.[0]#value", "$sme.a.#value", "$sm#semanticId.keys[a]", "$sm.x#id", "$x#id"),
            *("$sm#semanticId.keys", "$sme.a[-1]#value", "$sm#id ", "$sme.a[9999999999]#value"),
        )
    ),
]


@pytest.mark.parametrize("query", WRONG, ids=str)
def test_what_is_not_of_the_language_is_refused(query):
    with pytest.raises(Invalid):
        compile_query(Class.SUBMODEL, query)


def test_the_message_says_where_it_is_wrong():
    bad = {"$and": [{"$boolean": True}, {"$eq": [{"$field": "$sm#nothing"}, {"$numVal": 1}]}]}
    with pytest.raises(Invalid, match=r"\$condition\.\$and\[1\]\.\$eq\[0\]\.\$field"):
        compile_query(Class.SUBMODEL, {"$condition": bad})


def test_a_condition_that_is_too_large_or_too_deep_is_refused():
    deep = {"$boolean": True}
    for _ in range(25):
        deep = {"$not": deep}
    wide = {"$or": [{"$boolean": True}] * 200}
    for condition in (deep, wide):
        with pytest.raises(Invalid, match="more than"):
            compile_query(Class.SUBMODEL, {"$condition": condition})


async def test_a_condition_of_more_parts_than_the_records_take_is_decided_on_the_documents(
    monkeypatch,
):
    on = {"$eq": [{"$field": "$sme.Rows[0].on#value"}, {"$strVal": "true"}]}
    condition = {"$or": [on, {"$eq": [{"$field": "$sm#idShort"}, {"$strVal": "Other"}]}]}
    monkeypatch.setattr(narrowing, "PARTS_MAX", 5)
    query = compile_query(Class.SUBMODEL, {"$condition": condition})
    assert query.predicate is None
    assert not query.exact
    engine = build(Records, {"kind": "memory"})
    async with engine.opened([index.COLLECTIONS[Class.SUBMODEL]]):
        documents = Documents(engine)
        for name in ("a", "b"):
            obj = SUBMODEL if name == "a" else {"modelType": "Submodel", "idShort": "Third"}
            await documents.commit(EVA, Write(class_=Class.SUBMODEL, id=name, obj=obj))
        assert await pages(documents, query, 1) == ["a"]


async def test_a_page_of_what_must_be_opened_is_bounded_and_goes_on(monkeypatch):
    monkeypatch.setattr(searching, "OPENED_MAX", 20)
    monkeypatch.setattr(searching, "BATCH_MAX", 10)
    engine = build(Records, {"kind": "memory"})
    async with engine.opened([index.COLLECTIONS[Class.SUBMODEL]]):
        documents = Documents(engine)
        await documents.commit(
            EVA,
            *(
                Write(class_=Class.SUBMODEL, id=f"d{n:03}", obj=SUBMODEL | {"idShort": f"N{n}"})
                for n in range(100)
            ),
        )
        last = {"$regex": [{"$field": "$sm#idShort"}, {"$strVal": "^N9[0-9]$"}]}
        query = compile_query(Class.SUBMODEL, {"$condition": last})
        some, cursor = await searching.search(documents, query, limit=5)
        assert some == []
        assert cursor
        assert await pages(documents, query, 5) == [f"d0{n}" for n in range(90, 100)]
        for wrong in ("!", "a", "gA"):
            with pytest.raises(Invalid, match="cursor"):
                await searching.search(documents, query, cursor=wrong)
        for limit in (0, 1001):
            with pytest.raises(Invalid, match="limit"):
                await searching.search(documents, query, limit=limit)
