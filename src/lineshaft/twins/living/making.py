"""All documents of one asset: its shell, and a submodel for each template that applies."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from lineshaft.twins import Class, Json
from lineshaft.twins.living import Config, Contribution, Link
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import described, submodel, to_submodel
from lineshaft.twins.living.carbon import carbon_footprint, counters
from lineshaft.twins.living.interfaces import interfaces
from lineshaft.twins.living.nameplate import nameplate
from lineshaft.twins.living.names import Scheme, id_short
from lineshaft.twins.living.operational import operational_data
from lineshaft.twins.living.structure import structure
from lineshaft.twins.living.technical import technical_data
from lineshaft.twins.living.timeseries import time_series


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A generated document."""

    class_: Class
    id: str
    path: str
    """Branch of the asset."""
    obj: Json
    data: bytes
    """The same as JSON."""
    digest: bytes
    bound: Mapping[str, str] = {}
    """Which element shows which point."""

    @property
    def key(self) -> str:
        """Its name among the bases."""
        return f"{self.class_.value} {self.id}"


def documents(
    asset: Asset,
    scheme: Scheme,
    config: Config,
    link: Callable[[str], Link | None],
    contributed: Sequence[Contribution] = (),
) -> list[Made]:
    """The shell of an asset and its submodels; a place above machines has no values."""
    submodels: list[tuple[Json, Mapping[str, str]]] = [
        (nameplate(asset, scheme, config.maker), {}),
    ]
    if asset.points:
        submodels += [
            (technical_data(asset, scheme, config.maker), {}),
            operational_data(asset, scheme),
            (time_series(asset, scheme, config.url), {}),
        ]
        described_as = interfaces(asset, scheme, link)
        submodels += [(described_as, {})] if described_as else []
        if config.co2_kg_per_kwh and counters(asset):
            submodels.append((carbon_footprint(asset, scheme), {}))
    if asset.parts:
        submodels.append((structure(asset, scheme), {}))
    submodels += [(_brought(c, asset, scheme), c.bound) for c in contributed]
    shell = _shell(asset, scheme, [s["id"] for s, _ in submodels])
    made = [_made(Class.SUBMODEL, asset, s, bound) for s, bound in submodels]
    return [*made, _made(Class.SHELL, asset, shell, {})]


def _brought(found: Contribution, asset: Asset, scheme: Scheme) -> Json:
    id_ = scheme.submodel(asset.path, found.id_short)
    return submodel(id_, found.id_short, found.semantic_id, found.elements)


def _shell(asset: Asset, scheme: Scheme, submodels: list[str]) -> Json:
    levels = asset.path.split("/")
    shell: Json = {
        "modelType": "AssetAdministrationShell",
        "id": scheme.shell(asset.path),
        "idShort": id_short(asset.name),
        "displayName": [{"language": "en", "text": asset.name}],
        "description": described(" / ".join(levels)),
        "assetInformation": {
            "assetKind": "Instance",
            "globalAssetId": scheme.asset(asset.path),
            "specificAssetIds": [{"name": "path", "value": asset.path}],
        },
        "submodels": [to_submodel(id_) for id_ in submodels],
    }
    return shell


def _made(class_: Class, asset: Asset, obj: Json, bound: Mapping[str, str]) -> Made:
    data = msgspec.json.encode(obj)
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return Made(
        class_=class_,
        id=obj["id"],
        path=asset.path,
        obj=obj,
        data=data,
        digest=digest,
        bound=bound,
    )
