"""Killed in the middle of its commits, the platform has every write that it acknowledged."""

import asyncio
import random
import subprocess
import sys
from collections import Counter

import msgspec

from lineshaft.core.plugin import build
from lineshaft.records import Compare, Records
from lineshaft.twins import Class, set_values, versions
from lineshaft.twins.documents import COLLECTIONS, Documents

WRITE = """
import asyncio, sys
from lineshaft.core.access import Identity
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.twins import Class
from lineshaft.twins import set_values, versions
from lineshaft.twins.documents import COLLECTIONS, Documents, Write

ALL = (*COLLECTIONS, versions.COLLECTION, set_values.COLLECTION)
WHO = Identity(name="eva")

def count(obj):
    obj["count"] += 1
    obj["submodelElements"][0]["value"] = str(obj["count"])
    obj["submodelElements"].append({"modelType": "Property", "idShort": f"p{obj['count']}"})
    del obj["submodelElements"][1:-20]

async def write(documents, id_):
    obj = {"modelType": "Submodel", "id": id_, "count": 1, "submodelElements": [
        {"modelType": "Property", "idShort": "Count", "valueType": "xs:int", "value": "1"}]}
    document, = await documents.commit(WHO, Write(class_=Class.SUBMODEL, id=id_, obj=obj))
    while True:
        print(id_, document.version, flush=True)
        kind = "twin.value" if document.version % 3 == 2 else ""
        document, _ = await documents.change(Class.SUBMODEL, id_, WHO, count, kind=kind)

async def main():
    records = build(Records, {"kind": "sqlite", "path": sys.argv[1]})
    async with records.opened(ALL), asyncio.TaskGroup() as group:
        documents = Documents(records)
        versions.Versions(records, count=5, bytes_max=1_000_000).follow(documents)
        for n in range(8):
            group.create_task(write(documents, f"{sys.argv[2]}-{n % 6}-{n}"))

asyncio.run(main())
"""


async def test_killed_at_random_moments_nothing_acknowledged_is_lost(tmp_path):
    dice = random.Random(5)
    path = str(tmp_path / "records.db")
    acknowledged = {}
    for round_ in range(4):
        command = [sys.executable, "-c", WRITE, path, str(round_)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(dice.randrange(10, 120)):
                id_, version = (await asyncio.to_thread(writer.stdout.readline)).split()
                acknowledged[id_] = int(version)
            writer.kill()
            rest = await asyncio.to_thread(writer.stdout.read)
        for line in rest.split("\n")[:-1]:
            id_, version = line.split()
            acknowledged[id_] = int(version)
    assert len(acknowledged) > 8
    records = build(Records, {"kind": "sqlite", "path": path})
    async with records.opened((*COLLECTIONS, versions.COLLECTION, set_values.COLLECTION)):
        documents = Documents(records)
        kept = versions.Versions(records, count=5, bytes_max=1_000_000)
        found, _ = await documents.find(Class.SUBMODEL, limit=1000)
        numbers = {d.id: d.version for d in found}
        assert all(numbers[id_] >= version for id_, version in acknowledged.items())
        for document in found:
            # The document, its version, its rows and its events are of the same moment.
            obj = msgspec.json.decode(document.data)
            assert obj["count"] == document.version
            for element in obj["submodelElements"][-1:]:
                newest = Compare("at", "=", f".{element['idShort']}")
                fitting, _ = await documents.find(Class.SUBMODEL, newest, limit=1000)
                assert document in fitting
            await _check_past(kept, document)
        events = Counter()
        after = 0
        while some := await records.events(after=after, limit=1000):
            events.update((e.event.data["id"], e.event.data["version"]) for e in some)
            after = some[-1].seq
        assert set(events.values()) == {1}
        assert set(events) == {(id_, n + 1) for id_, v in numbers.items() for n in range(v)}
        await records.verify()


async def _check_past(kept, document):
    """Of every change there is a version or the value that was set, and of none that never was."""
    now = document.version
    before = {d.version for _, d in await kept.all(Class.SUBMODEL, document.id)}
    whole = {n for n in range(1, now) if n % 3 != 2}
    assert before == set(sorted(whole)[-5:])
    told = [
        (msgspec.json.decode(s.before), msgspec.json.decode(s.value))
        for s in await kept.values.of(document, "Count")
    ]
    assert told == [(n, n + 1) for n in range(1, now) if n % 3 == 2][-5:]
