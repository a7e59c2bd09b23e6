"""Meanings: what operations say of machines, told by the twins as submodels.

Operations and twins do not know each other. Each file here fills `twins.living.Contributor` with a
part of operations: what is there for an asset, and its values now.
"""

from lineshaft.meanings.alarms import Alarms
from lineshaft.meanings.figures import Figures
from lineshaft.meanings.states import States
from lineshaft.operations.running import Operations
from lineshaft.twins.living import Contributor, Latest


def contributors(operations: Operations, latest: Latest) -> tuple[Contributor, ...]:
    """Everything that operations bring to the twins."""
    return (
        Alarms(operations.desk),
        States(operations.states.units, latest),
        Figures(operations.states.units, operations.kpis.current),
    )
