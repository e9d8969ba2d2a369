"""The published schemas: current, complete, true of what is sent, and only ever added to."""

import copy
import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from common.cloudevents import GENESIS, Circumstances, headers_of, linked
from common.contracts import Event
from common.contracts.envelope import Envelope
from common.contracts.publication import ENVELOPE, HERE, catalogue, committed, generated, publish, published, sample
from common.contracts.schema import REMARKS, breaks, resolved
from events.facts import FACTS
from events.projector import UNPROJECTED

TYPES = sorted(catalogue())
PUBLISHED = dict(published())
VERIFIED = "cn.cqast.measures.milestone-verified.v1"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(committed(name))
    return found


@pytest.mark.parametrize(("name", "model"), PUBLISHED.items(), ids=list(PUBLISHED))
def test_a_committed_schema_is_what_its_contract_says(name: str, model: Any) -> None:
    assert schema(name) == generated(name, model), "run: python -m common.contracts.publication"
    Draft202012Validator.check_schema(schema(name))


def test_no_schema_and_no_sample_lies_there_without_a_contract() -> None:
    assert {path.name for path in HERE.joinpath("schemas").iterdir()} == {f"{name}.json" for name in PUBLISHED}
    assert {path.name for path in HERE.joinpath("samples").iterdir()} == {f"{name}.json" for name in TYPES}


@pytest.mark.parametrize("wire_type", TYPES)
def test_a_sample_is_what_its_producer_would_tell(wire_type: str) -> None:
    told = sample(wire_type)
    Draft202012Validator(schema(wire_type), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)
    assert json.loads(catalogue()[wire_type].model_validate(told).model_dump_json()) == told


def test_a_sample_that_lacks_a_field_is_found_out() -> None:
    told = sample(VERIFIED)
    del told["attained_on"]
    assert not Draft202012Validator(schema(VERIFIED)).is_valid(told)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_field_says_what_it_is(name: str) -> None:
    assert [field for field, said in _fields(resolved(schema(name))) if not said] == []


def _fields(part: dict[str, Any], at: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, field in part.get("properties", {}).items():
        found.append((f"{at}/{name}", field.get("description")))
        found += _fields(field.get("items", field), f"{at}/{name}")
    return found


@pytest.mark.parametrize("wire_type", TYPES)
def test_the_headers_that_are_sent_fit_the_published_envelope(wire_type: str) -> None:
    headers = sent(catalogue()[wire_type].model_validate(sample(wire_type)))
    validator = Draft202012Validator(schema(ENVELOPE), format_checker=Draft202012Validator.FORMAT_CHECKER)
    validator.validate(headers)
    Envelope.model_validate(headers)
    assert headers.keys() == schema(ENVELOPE)["properties"].keys(), "each header that we send is published"
    assert not validator.is_valid(headers | {"ce_sequence": "1"})


def sent(event: Event) -> dict[str, str]:
    about = Circumstances(
        id=UUID("0197c1a0-8e30-7c99-8409-91a2b3c4d5e6"),
        aggregate_type="item",
        aggregate_id=UUID("0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f"),
        version=1,
        recorded_at=datetime(2026, 11, 23, 4, tzinfo=UTC),
        effective_on=date(2022, 6, 1),
        actor="p-1",
        unit=UUID("0197c1a0-3a03-7e55-8005-5d6e7f8091a2"),
        correlation="c-1",
        causation="e-1",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    headers = headers_of(event, about, public_url="http://localhost:8080")
    linked(GENESIS, headers, event.model_dump_json().encode())
    return headers


# ── what may change within a major version ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "model"), PUBLISHED.items(), ids=list(PUBLISHED))
def test_what_a_contract_says_now_breaks_no_reader_of_its_committed_schema(name: str, model: Any) -> None:
    assert breaks(schema(name), generated(name, model)) == []


def test_an_optional_field_may_be_added_and_words_may_be_bettered() -> None:
    now = schema(VERIFIED)
    now["properties"]["seen_on_site"] = {"type": "boolean", "description": "Whether somebody went there."}
    now["description"] = "Said better."
    assert breaks(schema(VERIFIED), now) == []


def _removed(now: dict[str, Any]) -> None:
    del now["properties"]["verifier"]


def _renamed(now: dict[str, Any]) -> None:
    now["properties"]["judge"] = now["properties"].pop("verifier")


def _retyped(now: dict[str, Any]) -> None:
    now["properties"]["number"]["type"] = "string"


def _retyped_where_it_may_be_null(now: dict[str, Any]) -> None:
    now["properties"]["replaces"]["anyOf"][0]["type"] = "string"


def _no_longer_null(now: dict[str, Any]) -> None:
    del now["properties"]["replaces"]["anyOf"][1]


def _narrowed(now: dict[str, Any]) -> None:
    now["properties"]["number"]["maximum"] = 9


def _newly_required(now: dict[str, Any]) -> None:
    now["required"].append("replaces")


def _added_and_required(now: dict[str, Any]) -> None:
    now["properties"]["seen_on_site"] = {"type": "boolean"}
    now["required"].append("seen_on_site")


def _no_longer_required(now: dict[str, Any]) -> None:
    now["required"].remove("verifier")


def _closed(now: dict[str, Any]) -> None:
    now["additionalProperties"] = False


BREAKING = [_removed, _renamed, _retyped, _retyped_where_it_may_be_null, _no_longer_null, _narrowed, _newly_required,
            _added_and_required, _no_longer_required, _closed]  # fmt: skip


@pytest.mark.parametrize("change", BREAKING, ids=[change.__name__.strip("_") for change in BREAKING])
def test_what_breaks_readers_is_found(change: Any) -> None:
    now = schema(VERIFIED)
    change(now)
    assert breaks(schema(VERIFIED), now)


def test_a_break_is_found_within_a_definition_that_a_list_refers_to() -> None:
    name = "cn.cqast.measures.plan-defined.v1"
    now = schema(name)
    now["$defs"]["PhaseMode"]["enum"].append("rollback")
    (broken,) = breaks(schema(name), now)
    assert broken.startswith("/phases/*/mode: enum was ['preparation', 'pilot', 'full'], is ")


def test_a_schema_that_would_break_its_readers_is_not_written(tmp_path: Any) -> None:
    before = schema(VERIFIED)
    before["properties"]["judge"] = {"type": "string"}
    path = tmp_path / f"{VERIFIED}.json"
    path.write_text(json.dumps(before))
    assert publish(tmp_path) == [f"{VERIFIED} /judge: was removed: this needs a new major"]
    assert json.loads(path.read_text()) == before
    assert len(list(tmp_path.iterdir())) == len(PUBLISHED)


def test_every_keyword_of_the_comparison_is_a_promise_or_a_remark() -> None:
    now = copy.deepcopy(schema(VERIFIED))
    now |= dict.fromkeys(REMARKS - {"$defs"}, "anything")
    assert breaks(schema(VERIFIED), now) == []


# ── every type leads somewhere ───────────────────────────────────────────────────────────────────────────────────────


def unaccounted(types: set[type[Event]]) -> set[type[Event]]:
    """The types from which neither a fact nor deliberately nothing follows."""
    return types - FACTS.keys() - UNPROJECTED.keys()


def test_from_every_event_type_facts_follow_or_deliberately_nothing() -> None:
    types = set(catalogue().values())
    assert unaccounted(types) == set()
    assert FACTS.keys() & UNPROJECTED.keys() == set()
    assert FACTS.keys() | UNPROJECTED.keys() == types


def test_an_event_type_that_leads_nowhere_is_found() -> None:
    class Forgotten(Event):
        producer = "tests"

    assert unaccounted({*catalogue().values(), Forgotten}) == {Forgotten}
