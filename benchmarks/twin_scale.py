"""Twins by the hundred thousand: what they take on disk, in memory, and to be found.

Fills one SQLite file with shells that refer to submodels of some properties each, with semantic
ids, as a template repeated over many assets is. Then it reads pages at the beginning and near the
end, and asks queries whose answers are few, many and none, each through the query language.
Given several sizes it shows what grows with them and what does not.

    python benchmarks/twin_scale.py --shells 1000 10000
"""

import argparse
import asyncio
import random
import resource
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from lineshaft.core.access import SYSTEM
from lineshaft.core.plugin import build
from lineshaft.records import Compare, Records, Some
from lineshaft.twins import Class, Json
from lineshaft.twins.documents import COLLECTIONS, Documents, Write
from lineshaft.twins.query import compile_query
from lineshaft.twins.query.searching import search

SUBMODELS = 5
BATCH = 20
"""Shells with all their submodels in one commit."""
ROUNDS = 100
NAMES = ("Nameplate", "TechnicalData", "Operation", "Maintenance", "Energy")
SEED = 7


def shell_id(n: int) -> str:
    """Identifier of a shell, spread so that neighbours in number are not in order."""
    return f"https://plant.example/shells/{n * 2654435761 % 2**32:08x}"


def shell(n: int) -> Json:
    """A shell that refers to its submodels."""
    ids = [submodel_id(n, m) for m in range(SUBMODELS)]
    return {
        "modelType": "AssetAdministrationShell",
        "id": shell_id(n),
        "idShort": f"Machine{n}",
        "assetInformation": {
            "assetKind": "Instance",
            "globalAssetId": f"https://plant.example/assets/{n}",
            "specificAssetIds": [{"name": "serialNumber", "value": f"SN-{n:08}"}],
        },
        "submodels": [
            {"type": "ModelReference", "keys": [{"type": "Submodel", "value": id_}]} for id_ in ids
        ],
    }


def submodel_id(n: int, m: int) -> str:
    """Identifier of a submodel of a shell."""
    return f"{shell_id(n)}/submodels/{NAMES[m]}"


def semantic(text: str) -> Json:
    """A semantic id."""
    return {
        "type": "ExternalReference",
        "keys": [{"type": "GlobalReference", "value": f"https://plant.example/terms/{text}/1/0"}],
    }


def submodel(n: int, m: int, elements: int, dice: random.Random) -> Json:
    """A submodel of properties: numbers between 0 and 1000, now and then a text."""
    return {
        "modelType": "Submodel",
        "id": submodel_id(n, m),
        "idShort": NAMES[m],
        "semanticId": semantic(NAMES[m]),
        "submodelElements": [
            {
                "modelType": "Property",
                "idShort": f"Property{k}",
                "semanticId": semantic(f"{NAMES[m]}/Property{k}"),
                "valueType": "xs:double" if k % 5 else "xs:string",
                "value": f"{dice.uniform(0, 1000):.3f}" if k % 5 else f"text {dice.randrange(999)}",
            }
            for k in range(elements)
        ],
    }


async def fill(documents: Documents, shells: int, elements: int) -> None:
    """Write all shells and submodels."""
    dice = random.Random(SEED)
    for start in range(0, shells, BATCH):
        writes = []
        for n in range(start, min(start + BATCH, shells)):
            path = f"plant/line-{n % 50}/machine-{n}"
            writes.append(
                Write(class_=Class.SHELL, id=shell_id(n), obj=shell(n), path=path, expected=0)
            )
            for m in range(SUBMODELS):
                obj = submodel(n, m, elements, dice)
                writes.append(
                    Write(class_=Class.SUBMODEL, id=obj["id"], obj=obj, path=path, expected=0)
                )
        await documents.commit(SYSTEM, *writes)


async def told(name: str, ask: Callable[[int], Awaitable[int]], rounds: int) -> None:
    """Ask so often; print median, 99th percentile and how many documents came each time."""
    took, came = [], 0
    for n in range(rounds):
        start = time.perf_counter()
        came += await ask(n)
        took.append((time.perf_counter() - start) * 1000)
    took.sort()
    p50, p99 = took[len(took) // 2], took[min(len(took) - 1, len(took) * 99 // 100)]
    print(f"| {name} | {p50:.2f} | {p99:.2f} | {came / rounds:.1f} |", flush=True)


def conditions(n: int, shells: int) -> dict[str, Json]:
    """The condition of round `n` of every question."""
    dice = random.Random(n)
    term = f"https://plant.example/terms/Operation/Property{1 + n % 4}/1/0"
    semantic_id = {"$eq": [{"$field": "$sme#semanticId"}, {"$strVal": term}]}
    low = dice.uniform(0, 990)
    value, many = {"$field": "$sme#value"}, max(shells, 100)
    at = {"$field": f"$sme.Property{1 + n % 4}#value"}

    def between(width: float) -> list[Json]:
        return [{"$ge": [value, {"$numVal": low}]}, {"$lt": [value, {"$numVal": low + width}]}]

    return {
        "semanticId and a narrow range": {"$match": [semantic_id, *between(20_000 / many)]},
        "semanticId and a wide range": {"$match": [semantic_id, *between(300)]},
        "semanticId and a range of nothing": {
            "$match": [semantic_id, {"$gt": [value, {"$numVal": 5000}]}]
        },
        "semanticId and value apart ($and)": {
            "$and": [semantic_id, {"$gt": [value, {"$numVal": 1000 - 1000 / many}]}]
        },
        "idShort of an element": {
            "$eq": [{"$field": "$sme#idShort"}, {"$strVal": f"Property{n % 9}"}]
        },
        "path and value": {"$gt": [at, {"$numVal": 1000 - 5000 / many}]},
        "text": {"$eq": [value, {"$strVal": f"text {dice.randrange(999)}"}]},
        "identifiers that begin so": {
            "$starts-with": [{"$field": "$sm#id"}, {"$strVal": shell_id(n % shells)}]
        },
    }


async def measure(documents: Documents, shells: int, elements: int, rounds: int) -> None:
    """Print pages, lookups and writes."""

    async def page(cursor: str) -> int:
        return len((await documents.find(Class.SHELL, cursor=cursor, limit=100))[0])

    late = ""
    for _ in range(shells * 99 // 100 // 1000):
        _, late = await documents.find(Class.SHELL, cursor=late, limit=1000)

    async def first(_: int) -> int:
        return await page("")

    async def last(_: int) -> int:
        return await page(late)

    async def in_branch(n: int) -> int:
        where = Some(Compare("path", "=", f"plant/line-{n % 50}/machine-{n % shells}"))
        return len((await documents.find(Class.SHELL, where))[0])

    async def refers(n: int) -> int:
        where = Some(Compare("refers", "=", submodel_id(n * 7 % shells, 1)))
        return len((await documents.find(Class.SHELL, where))[0])

    async def put(n: int) -> int:
        # Other values each time: index rows that stay the same are not written.
        obj = submodel(n * 7 % shells, 2, elements, random.Random())
        await documents.commit(SYSTEM, Write(class_=Class.SUBMODEL, id=obj["id"], obj=obj))
        return 1

    for name, ask in (
        ("page of 100 shells, the first", first),
        ("page of 100 shells, after 99 %", last),
        ("shells of a branch", in_branch),
        ("which shells refer to a submodel", refers),
        ("PUT of a submodel, all values new", put),
    ):
        await told(name, ask, rounds)


async def query(documents: Documents, shells: int, rounds: int) -> None:
    """Print queries."""
    for name in conditions(0, shells):

        async def ask(n: int, name: str = name) -> int:
            condition = conditions(n, shells)[name]
            compiled = compile_query(Class.SUBMODEL, {"$condition": condition})
            return len((await search(documents, compiled, limit=100))[0])

        await told(name, ask, rounds)


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[Documents]:
    """Documents over a records file."""
    records = build(Records, {"kind": "sqlite", "path": str(path)})
    async with records.opened(COLLECTIONS):
        yield Documents(records)


async def run(shells: int, elements: int, rounds: int, folder: Path) -> None:
    """Fill a file of one size, measure it, print it."""
    path = folder / f"{shells}-{elements}.db"
    total = shells * SUBMODELS * elements
    took = None
    if not path.exists():
        start = time.perf_counter()
        async with opened(path) as documents:
            await fill(documents, shells, elements)
        took = time.perf_counter() - start
    async with opened(path) as documents:
        size = path.stat().st_size
        json = sum(
            len(msgspec.json.encode(submodel(n, m, elements, random.Random(n))))
            for n in range(20)
            for m in range(SUBMODELS)
        ) / (20 * SUBMODELS * elements)
        filled = f"; written at {total / took:,.0f} elements/s" if took else ""
        print(
            f"\n{shells:,} shells, {shells * SUBMODELS:,} submodels, {total:,} elements:"
            f" {size / 1e6:,.0f} MB, {size / total:,.0f} bytes an element on disk, of which"
            f" {json:,.0f} are its JSON{filled}.\n"
        )
        print("| | p50 ms | p99 ms | documents each time |\n|---|--:|--:|--:|")
        await measure(documents, shells, elements, rounds)
        await query(documents, shells, rounds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\nMemory at most {peak:,.0f} MB.")


def main() -> None:
    """Read the arguments, run each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--shells", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--elements", type=int, default=20, help="elements of a submodel")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--keep", type=Path, help="folder for the files, used again when there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for shells in given.shells:
            asyncio.run(run(shells, given.elements, given.rounds, folder))


if __name__ == "__main__":
    main()
