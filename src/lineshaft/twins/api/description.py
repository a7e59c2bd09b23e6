"""What this server can do, as a list of profiles."""

from lineshaft.twins.api import answers
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services

_SERVICES = {
    "AssetAdministrationShellServiceSpecification": (2, 2),
    "SubmodelServiceSpecification": (3, 3),
    "AasxFileServerServiceSpecification": (1, 1),
    "AssetAdministrationShellRegistryServiceSpecification": (2, 5),
    "SubmodelRegistryServiceSpecification": (2, 4),
    "DiscoveryServiceSpecification": (1, 2),
    "AssetAdministrationShellRepositoryServiceSpecification": (2, 3),
    "SubmodelRepositoryServiceSpecification": (4, 5),
    "ConceptDescriptionRepositoryServiceSpecification": (1, 2),
}
"""How many profiles each service has in version 3.0, and in 3.1, numbered from SSP-001.

Source: IDTA-01002 v3.1.2, ServiceDescription.
"""
PROFILES = [
    f"https://admin-shell.io/aas/API/3/{minor}/{service}/SSP-{number:03}"
    for service, counts in _SERVICES.items()
    for minor, count in enumerate(counts)
    for number in range(1, count + 1)
]


async def get(to: Services, request: Request) -> Answer:
    """GetSelfDescription."""
    return answers.encoded({"profiles": PROFILES})


ROUTES = [
    Route("GET", base + "/description", get)
    for base in (
        "",
        "/aas",
        "/submodel",
        "/shells/{aasIdentifier}",
        "/submodels/{submodelIdentifier}",
    )
]
