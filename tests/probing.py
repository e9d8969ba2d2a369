"""Schemathesis asks every operation of a service's OpenAPI, over HTTP: what it sent, what came back, what was wrong."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.generation.case import Case

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
SEED: Final = 2021
SECONDS_MAX: Final = 10
"""A reply that takes longer, or never begins, is a failure."""
STREAM: Final = "/stream"
FILES_SENT: Final = ("upload_evidence_file", "import_items")
"""Whether a file is right, its bytes say and no schema: all of them are strings."""
ITEMS: Final = "/api/v1/items"
ALSO_AN_ID: Final = tuple(f"{ITEMS}/{path}" for path in ("import", "continuations", "remind-batch", "verify-batch"))
"""Paths that are, to another method, an item's address with an id that is none: 422, not 405."""
STREAMED_MAX: Final = 1
"""Events after which a stream that does not end has been read for long enough."""
Knock = Callable[[Case[Any]], str | None]
"""Gives a case a thing that there is, in place of a made-up id, and says in whose name it is sent: by which token."""


@dataclass
class Probed:
    """What became of all requests."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By operation (``GET /api/v1/items``), how often each status came back."""
    wrong: dict[str, str] = field(default_factory=dict)
    """By operation and check, the first failure with the request that shows it."""

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(counted.total() for counted in self.statuses.values())

    @property
    def all_statuses(self) -> Counter[int]:
        """How often each status came back from any operation."""
        return sum(self.statuses.values(), Counter())

    @property
    def carried_out(self) -> set[str]:
        """The operations that succeeded at least once."""
        return {label for label, counted in self.statuses.items() if any(200 <= one < 300 for one in counted)}

    def take(self, event: events.EngineEvent) -> None:
        """Note what an event of the run tells."""
        if isinstance(event, events.NonFatalError):
            self.wrong[f"{event.label}: error"] = str(event.info.message or event.value)
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.ScenarioFinished):
            self._note(event)

    def _note(self, event: events.ScenarioFinished) -> None:
        recorder = event.recorder
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                operation = recorder.cases[case_id].value.operation
                self.statuses[operation.label][interaction.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if told := check.failure_info:
                    label = recorder.cases[case_id].value.operation.label
                    self.wrong.setdefault(
                        f"{label}: {check.name}: {told.failure.title}", f"{told.failure.message}\n{told.code_sample}"
                    )


def probe(
    document: Mapping[str, Any],
    url: str,
    *,
    examples: int,
    knock: Knock = lambda _: None,
) -> Probed:
    """Ask what the schema's examples, its limits and chance suggest, right and wrong, the same in every run.

    :param examples: how many requests chance makes for each operation.
    """
    schema = schemathesis.openapi.from_dict(dict(document), config=_config(url, examples))
    schema.auth(refresh_interval=None)(_bearer(knock))
    probed = Probed()
    for event in from_schema(schema).execute():
        probed.take(event)
    return probed


def _bearer(knock: Knock) -> type:
    class Bearer:
        def get(self, case: Case[Any], _context: Any) -> str | None:
            return knock(case)

        def set(self, case: Case[Any], token: str | None, _context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {token}"

    return Bearer


def _config(url: str, examples: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "base-url": url,
            "cache": {"enabled": False},
            "request-timeout": SECONDS_MAX,
            "max-stream-events": STREAMED_MAX,
            "continue-on-failure": True,
            "operations": [
                {"include-path": STREAM, "request-timeout": 0.5},
                {"include-operation-id": list(FILES_SENT), "checks": {"negative_data_rejection": {"enabled": False}}},
                {"include-path": list(ALSO_AN_ID), "checks": {"unsupported_method": {"enabled": False}}},
            ],
            "generation": {"max-examples": examples, "deterministic": True, "database": "none", "no-shrink": True},
            "phases": {"stateful": {"enabled": False}},
            "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
        }
    )
