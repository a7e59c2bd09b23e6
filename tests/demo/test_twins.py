"""Every machine of the demo has a twin, and the twin lives as the machine does."""

import asyncio
import re
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from tests.demo.test_run import demo, lines_until

from lineshaft.demo.machines import PLACES, SPECS
from lineshaft.twins.model.identifier import encode_id

WAIT_S = 60.0


async def until(condition):
    async with asyncio.timeout(WAIT_S):
        while not (found := await condition()):
            await asyncio.sleep(0.1)
        return found


async def logged_in(http: httpx.AsyncClient, password: str) -> None:
    again = "a-long-new-password-1"
    for method, path, body in (
        ("POST", "session", {"name": "admin", "password": password}),
        ("PUT", "password", {"old": password, "new": again}),
        ("POST", "session", {"name": "admin", "password": again}),
    ):
        answer = await http.request(method, f"/api/v1/{path}", json=body)
        assert answer.is_success, answer.text


def place_of(shell: dict) -> str:
    ids = shell["assetInformation"]["specificAssetIds"]
    return unquote(next(i["value"] for i in ids if i["name"] == "path"))


@pytest.mark.timeout(150)
async def test_every_machine_has_a_twin_whose_values_change_with_it(tmp_path: Path):
    async with demo(tmp_path / "d", "--no-history") as process:
        seen = "\n".join(
            await lines_until(process, r"one-time password \S{8}", r"first live.*\(OPC UA\)")
        )
        url = re.search(r"console: (http://127\.0\.0\.1:\d+)", seen)[1]
        password = re.search(r"one-time password (\S+)", seen)[1]
        headers = {"X-Requested-With": "lineshaft"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
            await logged_in(http, password)

            async def grown():
                answer = await http.get("/api/v3.1/shells?limit=1000")
                shells = {place_of(s): s for s in answer.json()["result"]}
                return shells if shells.keys() >= set(PLACES.values()) else None

            shells = await until(grown)
            for machine, place in PLACES.items():
                data = next(
                    r["keys"][0]["value"]
                    for r in shells[place]["submodels"]
                    if r["keys"][0]["value"].endswith("/OperationalData")
                )
                value = f"/api/v3.1/submodels/{encode_id(data)}/$value"

                async def full(value=value, machine=machine):
                    found = (await http.get(value)).json()
                    return found if found.keys() >= {s.name for s in SPECS[machine]} else None

                first = await until(full)

                async def changed(value=value, first=first):
                    return (await http.get(value)).json() != first

                await until(changed)
