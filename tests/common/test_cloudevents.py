"""Every event type travels as a CloudEvent that strangers can read, and nothing in its history is altered unseen."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import hypothesis.strategies as st
import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import HealthCheck, given, settings

from builders import PUBLIC_URL, circumstances, wire
from common.cloudevents import GENESIS, Broken, decode, first_break, linked
from common.contracts import CATALOGUE, Event, source
from common.contracts.measures import PhaseEntered, PhaseMode
from samples import EVENT_TYPES, events

Headers = list[tuple[str, bytes]]
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLAN = uuid4()
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ENTERED = PhaseEntered(plan=PLAN, phase="P1", mode=PhaseMode.PILOT, entered_on=date(2022, 6, 1))


def _with(headers: Headers, **changed: bytes | None) -> Headers:
    """The headers with some replaced, or left out where the value is None."""
    told = dict(headers) | {name.replace("content_type", "content-type"): value for name, value in changed.items()}
    return [(name, value) for name, value in told.items() if value is not None]


def _read_by_the_sdk(headers: Headers, value: bytes, key: bytes) -> Any:
    return from_binary(KafkaMessage(dict(headers), key, value), JSONFormat())


# ── there and back ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_catalogue_is_not_empty() -> None:
    assert len(EVENT_TYPES) >= 20


@pytest.mark.parametrize("wire_type", EVENT_TYPES)
@FEW
@given(data=st.data())
def test_what_was_told_is_what_is_read(wire_type: str, data: st.DataObject) -> None:
    event = data.draw(events(wire_type))
    about = circumstances("plan", PLAN, data.draw(st.integers(1, 2**63 - 1)), recorded_at=datetime.now(UTC))
    read = decode(*wire(event, about))
    assert (read.event, read.id, read.aggregate_id, read.version) == (event, about.id, PLAN, about.version)
    assert (read.recorded_at, read.effective_on) == (about.recorded_at, about.effective_on)


@pytest.mark.parametrize("wire_type", EVENT_TYPES)
@FEW
@given(data=st.data())
def test_the_sdk_reads_what_we_write(wire_type: str, data: st.DataObject) -> None:
    event = data.draw(events(wire_type))
    about = circumstances("plan", PLAN, 7, unit=uuid4(), correlation="c-1", causation="c-0", traceparent=TRACE)
    headers, value = wire(event, about)
    read = _read_by_the_sdk(headers, value, str(PLAN).encode())
    assert (read.get_specversion(), read.get_id(), read.get_type()) == ("1.0", str(about.id), wire_type)
    assert (read.get_source(), read.get_subject()) == (source(type(event).producer), str(PLAN))
    assert read.get_time() == about.recorded_at
    assert read.get_datacontenttype() == "application/json"
    assert read.get_dataschema() == f"{PUBLIC_URL}/events/schemas/{wire_type}.json"
    assert read.get_extension("sequence") == "00000000000000000007"
    assert read.get_extension("partitionkey") == str(PLAN)
    assert read.get_data() == orjson.loads(event.model_dump_json())


@pytest.mark.parametrize("wire_type", EVENT_TYPES)
@FEW
@given(data=st.data())
def test_we_read_what_the_sdk_writes(wire_type: str, data: st.DataObject) -> None:
    event = data.draw(events(wire_type))
    about = circumstances("plan", PLAN, 7)
    headers, value = wire(event, about)
    rewritten = to_binary(_read_by_the_sdk(headers, value, str(PLAN).encode()), JSONFormat())
    read = decode(list(rewritten.headers.items()), rewritten.value)
    assert (read.event, read.id, read.version, read.recorded_at) == (event, about.id, 7, about.recorded_at)


def test_attribute_names_are_lawful_and_the_order_of_versions_is_the_order_of_their_text() -> None:
    about = circumstances("plan", PLAN, 9, unit=uuid4(), correlation="c", causation="c", traceparent=TRACE)
    headers = dict(wire(ENTERED, about)[0])
    assert all(re.fullmatch(r"ce_[a-z0-9]{1,20}", name) for name in headers if name.startswith("ce_"))
    later = dict(wire(ENTERED, circumstances("plan", PLAN, 10))[0])
    assert headers["ce_sequence"] < later["ce_sequence"]
    assert headers["ce_partitionkey"] == headers["ce_subject"]


def test_a_reader_takes_a_newer_minor_with_a_field_it_does_not_know() -> None:
    headers, value = wire(ENTERED, circumstances("plan", PLAN, 1))
    newer = orjson.dumps(orjson.loads(value) | {"something_new": 1})
    assert decode(headers, newer).event == ENTERED


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────

NEEDED = ["ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_sequence", "ce_effectiveat",
          "ce_aggregatetype", "ce_actor"]  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
def test_a_record_without_a_needed_header_is_broken(name: str) -> None:
    headers, value = wire(ENTERED, circumstances("plan", PLAN, 1))
    with pytest.raises(Broken, match="envelope"):
        decode(_with(headers, **{name: None}), value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ce_id", b"1"),
        ("ce_subject", b"plan-1"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2022-06-01T00:00:00"),
        ("ce_sequence", b"one"),
        ("ce_sequence", b"0"),
        ("ce_sequence", b"-1"),
        ("ce_sequence", b"99999999999999999999"),
        ("ce_effectiveat", b"2022-13-01"),
        ("ce_source", b"urn:cqast:talent"),
        ("ce_actor", b"\xff"),
    ],
)
def test_a_malformed_header_is_a_broken_envelope(name: str, text: bytes) -> None:
    headers, value = wire(ENTERED, circumstances("plan", PLAN, 1))
    with pytest.raises(Broken, match="envelope"):
        decode(_with(headers, **{name: text}), value)


@pytest.mark.parametrize("name", NEEDED)
def test_a_header_without_a_value_is_a_broken_envelope(name: str) -> None:
    headers, value = wire(ENTERED, circumstances("plan", PLAN, 1))
    nulled: Any = [(known, None if known == name else text) for known, text in headers]
    with pytest.raises(Broken, match="envelope"):
        decode(nulled, value)


def test_a_type_that_nobody_has_promised_is_unknown() -> None:
    headers, value = wire(ENTERED, circumstances("plan", PLAN, 1))
    with pytest.raises(Broken, match="unknown-type"):
        decode(_with(headers, ce_type=b"cn.cqast.measures.phase-entered.v9"), value)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_value_that_does_not_fit_its_contract_is_broken(value: bytes | None) -> None:
    headers, _ = wire(ENTERED, circumstances("plan", PLAN, 1))
    with pytest.raises(Broken, match="data"):
        decode(headers, value)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_a_record_holds_it_is_read_or_broken(data: st.DataObject) -> None:
    headers, value = wire(ENTERED, circumstances("plan", PLAN, 1))
    name = data.draw(st.sampled_from([name for name, _ in headers]))
    garbled: Any = [(one, data.draw(st.none() | st.binary()) if one == name else text) for one, text in headers]
    with suppress(Broken):
        decode(garbled, data.draw(st.sampled_from([value, None]) | st.binary()))


# ── the chain ────────────────────────────────────────────────────────────────────────────────────────────────────────

Chain = list[tuple[dict[str, str], bytes]]


def _history(length: int = 4) -> Chain:
    told, previous = [], GENESIS
    for version in range(1, length + 1):
        event = ENTERED.model_copy(update={"entered_on": date(2022, 6, 1) + timedelta(days=version)})
        headers, payload = wire(event, circumstances("plan", PLAN, version, traceparent=TRACE), previous)
        kept = {name: text.decode() for name, text in headers}
        previous = bytes.fromhex(kept["ce_hash"])
        told.append((kept, payload))
    return told


def _flip(chain: Chain) -> Chain:
    headers, payload = chain[1]
    return [chain[0], (headers, payload.replace(b"P1", b"P2")), *chain[2:]]


def _reword(chain: Chain) -> Chain:
    headers, payload = chain[1]
    return [chain[0], (headers | {"ce_actor": "p-2"}, payload), *chain[2:]]


def _forge(chain: Chain) -> Chain:
    """Alter one and give it a fitting hash: then the one after it no longer follows."""
    headers, payload = chain[1]
    headers = headers | {"ce_actor": "p-2"}
    linked(bytes.fromhex(headers["ce_prevhash"]), headers, payload)
    return [chain[0], (headers, payload), *chain[2:]]


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (_flip, "version 2 was altered"),
        (_reword, "version 2 was altered"),
        (_forge, "version 3 does not follow the event before it"),
        (lambda chain: [chain[0], *chain[2:]], "version 2 is missing or out of its place"),
        (lambda chain: chain[1:], "version 1 is missing or out of its place"),
        (lambda chain: [chain[0], chain[2], chain[1], chain[3]], "version 2 is missing or out of its place"),
    ],
)
def test_the_first_break_of_a_chain_is_named(tamper: Callable[[Chain], Chain], found: str) -> None:
    assert first_break(_history()) is None
    assert first_break(tamper(_history())) == found


def test_how_a_request_travelled_is_not_part_of_the_chain() -> None:
    chain = [
        ({name: text for name, text in headers.items() if "traceparent" not in name}, payload)
        for headers, payload in _history()
    ]
    assert first_break(chain) is None


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
def test_an_event_names_its_aggregate_by_id(event: type[Event]) -> None:
    first = next(iter(event.model_fields.values()))
    assert first.annotation is UUID
