"""All operations of all services, as one table."""

from lineshaft.twins.api import (
    attachments,
    bulk,
    concepts,
    description,
    discovery,
    elements,
    history,
    operations,
    packages,
    queries,
    registry,
    serialization,
    shells,
    submodels,
    values,
)

ROUTES = [
    *shells.ROUTES,
    *submodels.ROUTES,
    *elements.ROUTES,
    *values.ROUTES,
    *history.ROUTES,
    *attachments.ROUTES,
    *operations.ROUTES,
    *concepts.ROUTES,
    *registry.ROUTES,
    *discovery.ROUTES,
    *packages.ROUTES,
    *bulk.ROUTES,
    *queries.ROUTES,
    *description.ROUTES,
    *serialization.ROUTES,
]
"""Every route of the interface, each method and path once."""
