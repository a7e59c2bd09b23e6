"""The guide's requests, in their order, against a real machine and a plant that knows nothing."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from lineshaft.core.plugin import find
from lineshaft.twins.exchange.aasx import write_aasx

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "twins.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
HEAD = '[server]\nport = 0\n[store]\nkind = "memory"\n'
PATIENCE_S = 20.0


def steps(text):
    """Requests with the answer that is shown below each."""
    found = []
    for kind, body in BLOCK.findall(text):
        if kind == "http":
            line, _, content = body.partition("\n")
            found.append([*line.split(" ", 1), content.strip(), None])
        elif kind == "json" and found and found[-1][3] is None:
            found[-1][3] = json.loads(body)
    return found


def fits(given, wanted):
    """Whether an answer has at least what is wanted."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            k in given and fits(given[k], v) for k, v in wanted.items()
        )
    if isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(fits, given, wanted))
    return given == wanted


@pytest.fixture
async def chiller():
    plugin = await asyncio.to_thread(find, "drivers", "modbus")
    async with plugin.bench() as bench:
        yield bench


def press(machines, port):
    """The file of the machine, as its maker would write it."""
    supply = machines.form("/0?quantity=2", modv_entity="InputRegister", modv_type="xsd:float")
    set_point = machines.form("40001", modv_entity="HoldingRegister", modv_type="unsignedShort")
    aid = machines.description(
        machines.interface(
            "Modbus",
            f"modbus+tcp://127.0.0.1:{port}/1",
            machines.value("supply", forms=supply, unit="Cel", low=-20, high=120),
            machines.value("set_point", "integer", forms=set_point, unit="Cel"),
        )
    )
    data = machines.submodel(
        machines.DATA,
        "Data",
        "https://example.com/press/data",
        machines.smc(
            "Live",
            machines.prop("Supply", "0", "xs:double"),
            machines.prop("SetPoint", "0", "xs:int"),
        ),
    )
    mapping = machines.mapping(
        *(
            (
                machines.source_keys("Modbus", source),
                [("SubmodelElementCollection", "Live"), ("Property", sink)],
            )
            for source, sink in (("supply", "Supply"), ("set_point", "SetPoint"))
        ),
        poll_s=0.05,
    )
    return machines.environment(aid, mapping, data)


async def test_the_guide_leads_from_a_file_to_live_values(running, machines, chiller, tmp_path):
    text = (await asyncio.to_thread(GUIDE.read_text, "utf-8")).replace(
        "192.0.2.17:502", f"127.0.0.1:{chiller.port}"
    )
    file = tmp_path / "plant.toml"
    rule = next(body for kind, body in BLOCK.findall(text) if kind == "toml")
    await asyncio.to_thread(file.write_text, HEAD + rule)
    aasx = await asyncio.to_thread(write_aasx, press(machines, chiller.port))
    async with running(file) as (_, client):
        for method, address, body, wanted in steps(text):
            content = aasx if body == "< press.aasx" else body
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    answer = await client.request(method, address, content=content)
                    is_good = answer.status_code < 300
                    given = answer.json() if is_good and answer.content else None
                    if (is_good and (wanted is None or fits(given, wanted))) or method != "GET":
                        break
                    await asyncio.sleep(0.05)
            assert is_good, f"{method} {address}: {answer.status_code} {answer.text}"
            assert wanted is None or fits(given, wanted), f"{method} {address}: {answer.text}"


def test_the_guide_shows_each_step():
    text = GUIDE.read_text("utf-8")
    assert [m for m, *_ in steps(text)] == ["POST", "GET", "POST", "GET", "GET", "PATCH", "GET"]
