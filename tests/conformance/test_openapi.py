"""Every operation of the association's OpenAPI document, called well and called badly."""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

pytest.importorskip("schemathesis", reason="the OpenAPI tester is not installed")

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conformance.calls import Calls, Worker
from tests.conformance.openapi import load
from tests.twins.conftest import reference

from lineshaft.twins.api.table import ROUTES

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
GOOD, BAD = 1, 2
OPERATIONS = 224


@pytest.fixture
def document() -> dict[str, Any]:
    return load(reference("aas"))


def operations(document: dict[str, Any]) -> list[Any]:
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


def test_every_operation_of_the_document_has_a_route(document):
    wanted = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert len(wanted) == OPERATIONS
    assert wanted <= {(r.method, r.template) for r in ROUTES}


class Run:
    """One run over all operations, against a server that has what the calls need."""

    def __init__(self, url: str, document: dict[str, Any]) -> None:
        self.url = url
        self.operations = operations(document)
        self.calls = Calls(url)
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer engineer"

    def __enter__(self) -> "Run":
        self.calls.restore()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.calls.close()

    def answer(self, case: Any) -> Any:
        return case.call(
            base_url=f"{self.url}/api/v3.1",
            session=self.session,
            allow_redirects=False,
            timeout=20,
        )

    def good(self) -> Iterator[str]:
        """What is wrong with the answers to good calls."""
        for operation in self.operations:
            method, path = operation.method.lower(), operation.path
            case = operation.Case(
                method=operation.method,
                path_parameters=self.calls.path_parameters(method, path),
                body=self.calls.body(method, path) if operation.body else NOT_SET,
                media_type=operation.body[0].media_type if operation.body else None,
            )
            answer = self.answer(case)
            codes = operation.responses.status_codes
            wanted = {int(c) for c in codes if c.isdigit() and c < "400"}
            if answer.status_code in wanted:
                yield from judged(case, answer, CHECKS)
            else:
                yield f"{method} {path}: {answer.status_code}, not {wanted}: {answer.text[:300]}"
            if method != "get" and not path.startswith("/query"):
                files = "attachment" in path or "thumbnail" in path
                self.calls.restore("delete" if files else method)

    def made(self) -> Iterator[str]:
        """What is wrong with the answers to calls that the tester makes up, good and bad."""
        for operation in self.operations:
            for mode, count in ((GenerationMode.POSITIVE, GOOD), (GenerationMode.NEGATIVE, BAD)):
                if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
                    continue
                for case in examples(operation, mode, count):
                    yield from self.one(case, mode)
            method = operation.method.lower()
            if method != "get" and not operation.path.startswith("/query"):
                self.calls.restore(method)

    def one(self, case: Any, mode: GenerationMode) -> Iterator[str]:
        method, path = case.operation.method.lower(), case.operation.path
        odd = zlib.crc32(repr(case.path_parameters).encode()) % 4 == 0
        if mode is GenerationMode.NEGATIVE or not odd:
            case.path_parameters = self.calls.path_parameters(method, path)
        # The fields of a form are texts, whatever they were before: nothing is wrong with them.
        # A patch may say only what changes, which the document, made for whole objects, forbids.
        lenient = method == "patch" or case.media_type == "multipart/form-data"
        bad = mode is GenerationMode.NEGATIVE and not lenient
        checks = [*CHECKS, negative_data_rejection] if bad else CHECKS
        yield from judged(case, self.answer(case), checks)


def examples(operation: Any, mode: GenerationMode, count: int) -> list[Any]:
    """The same for every run."""
    found: list[Any] = []

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def take(case: Any) -> None:
        found.append(case)

    with suppress(Unsatisfiable):  # raised where nothing in the operation can be wrong
        take()
    return found


def judged(case: Any, answer: Any, checks: list[Any]) -> Iterator[str]:
    try:
        case.validate_response(answer, checks=checks)
    except FailureGroup as group:
        for error in group.exceptions:
            said = f"{case.query} {str(case.body)[:150]} {answer.status_code} {answer.text[:200]}"
            yield f"{case.operation.method} {case.operation.path}: {str(error)[:300]} {said}"


@pytest.fixture
async def run(filled, document):
    filled.twins.living = Worker()
    made = await asyncio.to_thread(Run, filled.url, document)
    await asyncio.to_thread(made.__enter__)
    yield made
    made.__exit__()


@pytest.mark.timeout(150)
async def test_a_good_call_of_every_operation_is_answered_as_documented(run):
    found = await asyncio.to_thread(lambda: list(run.good()))
    assert not found, f"{len(found)}:\n" + "\n".join(found)


@pytest.mark.timeout(200)
async def test_calls_that_are_made_up_are_answered_as_documented_and_bad_ones_refused(run):
    found = await asyncio.to_thread(lambda: list(run.made()))
    assert not found, f"{len(found)}:\n" + "\n".join(found)
