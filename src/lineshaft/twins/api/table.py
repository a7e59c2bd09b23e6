"""All operations of all services, as one table."""

from lineshaft.twins.api import elements, shells, submodels

ROUTES = [
    *shells.ROUTES,
    *submodels.ROUTES,
    *elements.ROUTES,
]
"""Every route of the interface, each method and path once."""
