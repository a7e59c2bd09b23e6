"""Hierarchical Structures 1.1 (IDTA 02011-1-1): what a place consists of, across shells."""

from lineshaft.twins import Json
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import entity, prop, relation, submodel, to_element
from lineshaft.twins.living.names import Scheme, id_shorts

SEMANTIC = "https://admin-shell.io/idta/HierarchicalStructures/1/1/Submodel"
ID_SHORT = "HierarchicalStructures"
_AT = "https://admin-shell.io/idta/HierarchicalStructures"


def structure(asset: Asset, scheme: Scheme) -> Json:
    """One step down: the asset, and each part with the identifier under which it has a shell."""
    id_ = scheme.submodel(asset.path, ID_SHORT)
    shorts = id_shorts(p.rpartition("/")[2] for p in asset.parts)
    entry = ("Entity", "EntryNode")
    nodes, relations = [], []
    for part in asset.parts:
        short = shorts[part.rpartition("/")[2]]
        nodes.append(entity(short, [], f"{_AT}/Node/1/0", asset=scheme.asset(part)))
        whole = to_element(id_, entry)
        node = to_element(id_, entry, ("Entity", short))
        relations.append(relation(f"HasPart_{short}"[:128], f"{_AT}/HasPart/1/0", whole, node))
    elements = [
        entity(
            "EntryNode",
            [*nodes, *relations],
            f"{_AT}/EntryNode/1/0",
            asset=scheme.asset(asset.path),
        ),
        prop("ArcheType", "OneDown", f"{_AT}/ArcheType/1/0"),
    ]
    return submodel(id_, ID_SHORT, SEMANTIC, elements, version=("1", "1"))
