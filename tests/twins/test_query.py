"""What a query finds is what reading every document finds."""

import random
import tempfile
from contextlib import AsyncExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.twins import flat

from lineshaft.core.access import Identity
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.twins import Class, index
from lineshaft.twins.documents import Documents, Write
from lineshaft.twins.query import compile_query
from lineshaft.twins.query.searching import search

EVA = Identity(name="eva")
NAMES = ["Aa", "Bb"]
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
            case "SubmodelElementCollection" | "SubmodelElementList":
                made["value"] = self.some(lambda: self.element(depth + 1), 3)
        return made

    def submodel(self):
        made = {"modelType": "Submodel", "submodelElements": self.some(self.element, 4)}
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
@settings(max_examples=12)
@given(st.integers(0, 2**32))
async def test_documents_are_found_as_the_oracle_finds_them(kind, class_, seed):
    maker = Maker(seed)
    made = maker.submodel if class_ is Class.SUBMODEL else maker.shell
    fields = OF_SUBMODEL if class_ is Class.SUBMODEL else OF_SHELL
    asked = [maker.condition(fields) for _ in range(40)]
    await agree(kind, class_, [made() for _ in range(5)], asked, maker.dice.randint(1, 3))
