"""Digital Nameplate 3.0 (IDTA 02006-3-0): what stands on the machine's plate."""

from lineshaft.twins import Json
from lineshaft.twins.living import Maker
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import collection, prop, submodel, texts
from lineshaft.twins.living.names import Scheme

SEMANTIC = "https://admin-shell.io/idta/nameplate/3/0/Nameplate"
_ADDRESS = "https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/AddressInformation"
UNSTATED = "not stated"
"""What stands where the template wants a value and nobody has given one."""


def nameplate(asset: Asset, scheme: Scheme, maker: Maker) -> Json:
    """The plate of an asset, with what is known of it and nothing that is not."""
    address = [
        texts("Street", maker.street or UNSTATED, "0173-1#02-AAO128#002"),
        texts("Zipcode", maker.zip or UNSTATED, "0173-1#02-AAO129#002"),
        texts("CityTown", maker.city or UNSTATED, "0173-1#02-AAO132#002"),
        texts("NationalCode", maker.country or UNSTATED, "0173-1#02-AAO134#002"),
    ]
    elements = [
        prop("URIOfTheProduct", scheme.asset(asset.path), "0112/2///61987#ABN590#002", "xs:anyURI"),
        texts("ManufacturerName", maker.name or UNSTATED, "0112/2///61987#ABA565#009"),
        texts("ManufacturerProductDesignation", asset.name, "0112/2///61987#ABA567#009"),
        collection("AddressInformation", address, _ADDRESS),
        prop("OrderCodeOfManufacturer", UNSTATED, "0112/2///61987#ABA950#008"),
        prop(
            "UniqueFacilityIdentifier",
            asset.path,
            f"{SEMANTIC.rpartition('/')[0]}/UniqueFacilityIdentifier",
        ),
    ]
    id_ = scheme.submodel(asset.path, "Nameplate")
    return submodel(id_, "Nameplate", SEMANTIC, elements, version=("3", "0"))
