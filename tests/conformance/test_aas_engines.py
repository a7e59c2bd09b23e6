"""The association's own checker against the server: every check of its four suites is counted.

Checks whose set-up failed are counted as failed, which the checker itself does not do.
"""

import asyncio

import pytest

pytest.importorskip("aas_test_engines", reason="the association's checker is not installed")

from aas_test_engines.config import CheckApiConfig
from aas_test_engines.http import HttpClient
from aas_test_engines.reflect import reflect_function
from aas_test_engines.result import Level
from aas_test_engines.test_cases.v3_0 import api as engines
from aas_test_engines.test_cases.v3_0.generate import generate_invalid_values
from aas_test_engines.test_cases.v3_0.model import Reference

SUITES = {
    # Where it is served, what passes, how many checks there are. In the last two the checker sets
    # up seven checks of GenerateSerializationByIds through /aas/shells and /submodel/shells, which
    # the specification does not have: they cannot pass.
    "AssetAdministrationShellRepositoryServiceSpecification": ("", 112, 112),
    "SubmodelRepositoryServiceSpecification": ("", 106, 106),
    "AssetAdministrationShellServiceSpecification": ("/aas", 87, 94),
    "SubmodelServiceSpecification": ("/submodel", 69, 76),
}


class Client(HttpClient):
    """The checker's client, with a token, which it forgets itself."""

    def descend(self, prefix):
        made = Client(self.host, self.verify, self.remove_path_prefix)
        made.prefixes.append(prefix)
        return made

    def send(self, request):
        request.headers["Authorization"] = "Bearer engineer"
        return super().send(request)


def count(name: str) -> int:
    """How many checks the suite has, whether or not a set-up works."""
    total = 0
    for _, suite in engines.available_suites[name]:
        arguments = reflect_function(suite.invoke_error, vars(engines), {"Reference": Reference})
        total += sum(len(generate_invalid_values(a)) for a in arguments.args if a.name != "self")
        total += sum(i.startswith("test_") for i in dir(suite))
    return total


def bad(result, level=Level.ERROR) -> list[str]:
    """Everything below a result that is as bad, with what it stands under."""
    if result.sub_results:
        return [
            f"{result.message.strip()} > {t}" for r in result.sub_results for t in bad(r, level)
        ]
    return [result.message.strip()] if result.level.value >= level.value else []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("suite", SUITES)
async def test_every_reachable_check_of_the_suite_passes(filled, suite):
    base, wanted, total = SUITES[suite]
    name = engines.SSP_PREFIX + suite + "/SSP-002"
    assert count(name) == total
    client = Client(f"{filled.url}/api/v3.0{base}", remove_path_prefix=base)
    result, matrix = await asyncio.to_thread(
        engines.execute_tests, client, CheckApiConfig(suite=name)
    )
    passed = matrix.invalid_rejected + matrix.valid_accepted
    print(f"{suite}: {passed}/{total}")
    assert passed >= wanted, "\n".join(bad(result))
    # For the references of elements the checker never takes a cursor, so it warns by itself.
    odd = [t for t in bad(result, Level.WARNING) if "SubmodelElements-Reference" not in t]
    setups = [t for t in odd if "GenerateSerializationByIds > Setup" in t]
    assert len(setups) == bool(base)
    assert odd == setups, "not even a warning is left"
