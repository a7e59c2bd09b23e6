"""Interface descriptions and mappings as files of machines hold them."""

AID = "urn:press:aid"
DATA = "urn:press:data"
VERSION = {"aid": "1/1", "aimc": "2/0"}


def semantic(value, kind="GlobalReference"):
    return {"type": "ExternalReference", "keys": [{"type": kind, "value": value}]}


def prop(name, value, type_="xs:string"):
    return {"modelType": "Property", "idShort": name, "valueType": type_, "value": str(value)}


def smc(name, *elements, semantic_id=""):
    made = {"modelType": "SubmodelElementCollection", "value": list(elements)}
    if name:
        made["idShort"] = name
    if semantic_id:
        made["semanticId"] = semantic(semantic_id)
    return made


def sml(name, *elements, type_="SubmodelElementCollection"):
    return {
        "modelType": "SubmodelElementList",
        "idShort": name,
        "typeValueListElement": type_,
        "value": list(elements),
    }


def ref(name, submodel, *steps):
    keys = [{"type": "Submodel", "value": submodel}]
    keys += [{"type": t, "value": v} for t, v in steps]
    made = {"modelType": "ReferenceElement", "value": {"type": "ModelReference", "keys": keys}}
    return made | ({"idShort": name} if name else {})


def form(href, **terms):
    return smc("forms", prop("href", href), *(prop(k, v) for k, v in terms.items()))


def value(name, type_="number", *, forms=None, nested=(), low=None, high=None, **said):
    """A property of an interface."""
    inner = [prop("type", type_), *(prop(k, v) for k, v in said.items())]
    if low is not None:
        extent = {"modelType": "Range", "idShort": "min_max", "valueType": "xs:double"}
        inner.append(extent | {"min": str(low), "max": str(high)})
    if nested:
        inner.append(smc("properties", *nested))
    forms = [forms] if isinstance(forms, dict) else forms or []
    return smc(name, *inner, *forms)


def interface(name, base, *properties, schemes=(), content_type="application/json", **terms):
    defined = schemes or [smc("nosec_sc", prop("scheme", "nosec"))]
    chosen = [
        ref(None, AID, *[("SubmodelElementCollection", s) for s in (name, d["idShort"])])
        for d in defined
    ]
    return smc(
        name,
        prop("title", name),
        smc(
            "EndpointMetadata",
            prop("base", base, "xs:anyURI"),
            prop("contentType", content_type),
            sml("security", *chosen, type_="ReferenceElement"),
            smc("securityDefinitions", *defined),
            *(prop(k, v) for k, v in terms.items()),
        ),
        smc("InteractionMetadata", smc("properties", *properties)),
        semantic_id=f"https://admin-shell.io/idta/AssetInterfacesDescription/{VERSION['aid']}/Interface",
    )


def submodel(id_, id_short, semantic_id, *elements):
    return {
        "modelType": "Submodel",
        "id": id_,
        "idShort": id_short,
        "semanticId": semantic(semantic_id),
        "submodelElements": list(elements),
    }


def description(*interfaces, id_=AID):
    return submodel(
        id_,
        "AssetInterfacesDescription",
        f"https://admin-shell.io/idta/AssetInterfacesDescription/{VERSION['aid']}/Submodel",
        *interfaces,
    )


def source_keys(interface_name, *names):
    inner = [n for name in names for n in ("properties", name)]
    path = [interface_name, "InteractionMetadata", *inner]
    return [("SubmodelElementCollection", n) for n in path]


def mapping(*pairs, poll_s=None, transformation=None, id_="urn:press:aimc"):
    """Version 2: pairs of source steps below the description and sink steps below the data."""
    more = [] if poll_s is None else [prop("DefaultPollingInterval", poll_s, "xs:double")]
    if transformation:
        blob = {"modelType": "Blob", "idShort": "Transformation", "contentType": "text/plain"}
        more.append(blob | {"value": transformation})
    sources = [
        smc(None, ref("Source", AID, *source), prop("SourceId", f"v{n}"))
        for n, (source, _) in enumerate(pairs)
    ]
    sinks = [
        smc(None, ref("Sink", DATA, *sink), prop("SinkId", f"v{n}"))
        for n, (_, sink) in enumerate(pairs)
    ]
    configuration = smc(None, *more, sml("Sources", *sources), sml("Sinks", *sinks))
    return submodel(
        id_,
        "AssetInterfacesMappingConfiguration",
        "https://admin-shell.io/idta/AssetInterfacesMappingConfiguration/2/0/Submodel",
        sml("MappingConfigurations", configuration),
    )


def relations(*pairs, id_="urn:press:aimc"):
    """Version 1 of the same."""

    def relation(source, sink):
        return {
            "modelType": "RelationshipElement",
            "first": ref(None, AID, *source)["value"],
            "second": ref(None, DATA, *sink)["value"],
        }

    configuration = smc(
        None,
        ref("InterfaceReference", AID, ("SubmodelElementCollection", "Modbus")),
        sml("MappingSourceSinkRelations", *(relation(*p) for p in pairs), type_="Relationship"),
    )
    return submodel(
        id_,
        "AssetInterfacesMappingConfiguration",
        "https://admin-shell.io/idta/AssetInterfacesMappingConfiguration/1/0/Submodel",
        sml("MappingConfigurations", configuration),
    )


def environment(*submodels):
    """A whole machine: its shell with a nameplate and these submodels."""
    nameplate = submodel(
        "urn:press:nameplate",
        "Nameplate",
        "https://admin-shell.io/idta/nameplate/3/0/Nameplate",
        prop("URIOfTheProduct", "https://maker.example/press/4711", "xs:anyURI"),
        prop("SerialNumber", "4711"),
    )
    every = [nameplate, *submodels]
    keys = [{"keys": [{"type": "Submodel", "value": s["id"]}]} for s in every]
    shell = {
        "modelType": "AssetAdministrationShell",
        "id": "urn:press:shell",
        "idShort": "Press",
        "assetInformation": {"assetKind": "Instance", "globalAssetId": "urn:press:4711"},
        "submodels": [{"type": "ModelReference"} | k for k in keys],
    }
    return {"assetAdministrationShells": [shell], "submodels": every, "conceptDescriptions": []}
