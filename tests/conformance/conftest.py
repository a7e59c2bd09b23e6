import pytest
from tests.conformance.environment import environment
from tests.twins.api.house import fill, house

from lineshaft.twins.model.identifier import encode_id

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63"
    "fcffff3f030005fe02fea7359d8b0000000049454e44ae426082"
)


@pytest.fixture
async def filled(tmp_path):
    """A server with the environment in it, its files and its thumbnails."""
    async with house(tmp_path) as made, made.http() as http:
        content = environment()
        await fill(http, content)
        for shell in content["assetAdministrationShells"]:
            path = f"/shells/{encode_id(shell['id'])}/asset-information/thumbnail"
            form = {"file": ("pump.png", PICTURE, "image/png")}
            answer = await http.put(path, files=form, data={"fileName": "pump.png"})
            assert answer.status_code == 204, answer.text
        for submodel in content["submodels"]:
            if submodel["idShort"] == "Everything":
                at = f"/submodels/{encode_id(submodel['id'])}/submodel-elements/Manual/attachment"
                form = {"file": ("manual.txt", b"turn it on", "text/plain")}
                answer = await http.put(at, files=form, data={"fileName": "manual.txt"})
                assert answer.status_code == 204, answer.text
        yield made
