"""The interfaces as they are described: current, complete, and true of how problems and tokens are handled."""

import copy
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from common.openapi import document_of
from common.roles import ROLES
from common.settings import Settings

SERVICES = ("measures", "societies", "talent", "events")
DESCRIBED = {service: json.loads(document_of(service)) for service in SERVICES}
ROOT = Path(__file__).parents[2]
OPERATIONS = {
    operation["operationId"]: (service, path, method, operation)
    for service, document in DESCRIBED.items()
    for path, operations in document["paths"].items()
    for method, operation in operations.items()
}
SENT_AS_FILES = {"import_items"}
"""Commands whose body is a file, looked at byte by byte."""
OPEN = ("/api/v1/progress", "/stream", "/events")
Operation = tuple[str, str, str, dict[str, Any]]

each_operation = pytest.mark.parametrize("told", OPERATIONS.values(), ids=list(OPERATIONS))


@pytest.mark.parametrize("service", SERVICES)
def test_a_committed_description_is_what_the_service_says(service: str) -> None:
    committed = (ROOT / "services" / service / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(committed) == DESCRIBED[service], f"run: python -m common.openapi {service} …/openapi.json"
    assert DESCRIBED[service]["openapi"].startswith("3.1")


def test_no_two_operations_of_any_service_share_an_id() -> None:
    count = sum(len(operations) for document in DESCRIBED.values() for operations in document["paths"].values())
    assert len(OPERATIONS) == count


@each_operation
def test_an_operation_is_tagged_and_says_what_it_promises(told: Operation) -> None:
    _, _, _, operation = told
    assert operation["tags"]
    assert operation["description"].strip()


@each_operation
def test_an_operation_asks_for_a_token_unless_anyone_may_read_it(told: Operation) -> None:
    _, path, _, operation = told
    refused = {status for status in ("401", "403") if status in operation["responses"]}
    if path.startswith(OPEN):
        assert "security" not in operation
        assert "x-permission" not in operation
        assert refused == set()
    else:
        assert operation["security"] == [{"HTTPBearer": []}]
        assert any(operation["x-permission"] in held for held in ROLES.values())
        assert refused == {"401", "403"}


@each_operation
def test_an_operation_documents_its_problems(told: Operation) -> None:
    service, path, method, operation = told
    expected = {"404", "422", "503"} | ({"400", "409", "413"} if method == "post" else set())
    if method == "post" and "{" in path:
        expected.add("412")
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        expected.add("415")
    assert expected <= operation["responses"].keys()
    for status, response in operation["responses"].items():
        if not status.startswith("2"):
            problem = DESCRIBED[service]["components"]["responses"][response["$ref"].rpartition("/")[2]]
            assert list(problem["content"]) == ["application/problem+json"]
            assert problem["content"]["application/problem+json"]["example"]["status"] == int(status)


@each_operation
def test_a_command_takes_a_key_and_shows_an_example_that_it_would_accept(told: Operation) -> None:
    service, _, method, operation = told
    if method != "post":
        return
    assert "idempotency-key" in {parameter["name"] for parameter in operation["parameters"]}
    content = operation["requestBody"]["content"]
    if "application/json" not in content:
        assert operation["operationId"] in SENT_AS_FILES
        return
    body = content["application/json"]["schema"]
    schema = DESCRIBED[service]["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    assert schema["additionalProperties"] is False
    whole = {"$ref": body["$ref"], "components": DESCRIBED[service]["components"]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert schema["examples"]
    for example in schema["examples"]:
        validator.validate(example)
    assert not validator.is_valid(schema["examples"][0] | {"unknown": 1})


@pytest.mark.parametrize("service", SERVICES)
def test_the_framework_s_own_shape_of_errors_is_nowhere(service: str) -> None:
    text = json.dumps(DESCRIBED[service])
    assert "ValidationError" not in text
    assert "Problem" in text


@pytest.mark.parametrize("service", SERVICES)
def test_every_reference_leads_somewhere(service: str) -> None:
    assert dangling(DESCRIBED[service]) == set()


def test_a_reference_that_leads_nowhere_is_found() -> None:
    broken = copy.deepcopy(DESCRIBED["talent"])
    del broken["components"]["schemas"]["Decided"]
    assert dangling(broken) == {"#/components/schemas/Decided"}


def dangling(document: dict[str, Any]) -> set[str]:
    return {reference for reference in _references(document) if not _leads(document, reference)}


def _references(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_references, part))
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own.union(*map(_references, part.values()))


def _leads(document: Any, reference: str) -> bool:
    for name in reference.removeprefix("#/").split("/"):
        if name not in document:
            return False
        document = document[name]
    return True


def test_each_service_serves_the_description_under_its_own_name() -> None:
    for service in SERVICES:
        app = import_module(f"{service}.main").app_of(Settings(database_url="", kafka_bootstrap=""))
        assert app.openapi_url == f"/openapi/{service}.json"
