"""The client of twins on a whole plant: what lives in them."""

import asyncio
from pathlib import Path

import pytest
from aas_core3_1 import types as aas
from tests.twins.living.plants import plant, publish, until

import lineshaft
from lineshaft.core.errors import Invalid, Missing
from lineshaft.twins import Json
from lineshaft.twins.model.checking import check

PRESS = "acme/hall/press"
DATA = f"urn:lineshaft:lineshaft:submodel/{PRESS}/OperationalData"
OWN: Json = {
    "modelType": "Submodel",
    "id": "urn:own",
    "submodelElements": [
        {"modelType": "Property", "idShort": "Oil", "valueType": "xs:double"},
        {"modelType": "Capability", "idShort": "Pressing"},
    ],
}


async def test_elements_show_points_and_have_their_history(tmp_path: Path) -> None:
    async with plant(tmp_path) as (made, http):
        wish = {"name": "laptop", "actions": ["look", "write", "configure"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        for value in (1.5, 2.5):
            await publish(made, (f"{PRESS}/oil", value))
        with lineshaft.connect(str(http.base_url), token) as client:
            twins = client.twins

            async def there() -> bool:
                found = await asyncio.to_thread(lambda: [s["id"] for s in twins.submodels()])
                return DATA in found

            await until(there)
            generated = await asyncio.to_thread(twins.submodel, DATA)
            assert isinstance(generated.typed(), aas.Submodel)
            assert check("Submodel", generated) == []
            assert await asyncio.to_thread(twins.value, DATA, "oil") == 2.5
            assert await asyncio.to_thread(twins.point, DATA, "oil") == f"{PRESS}/oil"
            past = await asyncio.to_thread(twins.history, DATA, "oil", "-1h")
            assert past.arrow().column("value").to_pylist() == [1.5, 2.5]

            await asyncio.to_thread(twins.put, OWN)
            with pytest.raises(Missing, match="Oil") as unbound:
                await asyncio.to_thread(twins.history, "urn:own", "Oil")
            assert unbound.value.remedy
            await asyncio.to_thread(twins.bind, "urn:own", "Oil", f"{PRESS}/oil")
            assert await asyncio.to_thread(twins.value, "urn:own", "Oil") == 2.5
            assert len(await asyncio.to_thread(twins.history, "urn:own", "Oil")) == 2
            with pytest.raises(Invalid, match="Capability"):
                await asyncio.to_thread(twins.bind, "urn:own", "Pressing", f"{PRESS}/oil")
            await asyncio.to_thread(twins.unbind, "urn:own", "Oil")
            with pytest.raises(Missing):
                await asyncio.to_thread(twins.point, "urn:own", "Oil")
