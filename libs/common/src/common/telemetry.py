"""Logs as JSON lines on stderr, and all metrics in one list."""

import logging
import sys
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.typing import Processor

FROM_A_REQUEST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Bounds in seconds of what a caller waits for."""
FROM_A_DECISION: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)
"""Bounds in seconds of what is worked out in memory."""
FROM_A_WINDOW: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
"""Bounds in seconds of what handles many records at once, up to the deadline of a window."""
RECORDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
"""Bounds of how many records are handled at once."""

REQUEST_SECONDS = Histogram(
    "kegai_request_seconds",
    "Time to answer a request, by operation and status",
    ["operation", "status"],
    buckets=FROM_A_REQUEST,
)
REQUESTS_UNDER_WAY = Gauge("kegai_requests_under_way", "Requests that were let in and are not answered yet")
REFUSED_REQUESTS = Counter(
    "kegai_refused_requests", "Requests that were turned away at once, by what there is no more room for", ["reason"]
)
DECIDE_SECONDS = Histogram(
    "kegai_decide_seconds", "Time in which a rule decided a command", ["aggregate"], buckets=FROM_A_DECISION
)
SAVE_SECONDS = Histogram(
    "kegai_save_seconds",
    "Time to save state, events, outbox and reply, commit included",
    ["aggregate"],
    buckets=FROM_A_REQUEST,
)

OUTBOX_DEPTH = Gauge("kegai_outbox_depth", "Records that wait to be published", ["slice"])
OUTBOX_OLDEST_SECONDS = Gauge("kegai_outbox_oldest_seconds", "Age of the oldest record that waits", ["slice"])
RELAY_WINDOW_RECORDS = Histogram(
    "kegai_relay_window_records", "Records published in one transaction", ["slice"], buckets=RECORDS
)
RELAY_WINDOW_SECONDS = Histogram(
    "kegai_relay_window_seconds",
    "Time from sending a window to its acknowledgement by the broker",
    ["slice"],
    buckets=FROM_A_WINDOW,
)
RELAYED = Counter("kegai_relayed_records", "Records that the broker has acknowledged", ["slice"])
RELAY_FAILURES = Counter("kegai_relay_failures", "Interruptions after which the relay began anew", ["slice"])

CONSUMER_LAG = Gauge(
    "kegai_consumer_lag_records", "Records between the applied position and the end", ["projection", "topic"]
)
CONSUMER_LAG_SECONDS = Gauge(
    "kegai_consumer_lag_seconds",
    "Age of the last record that was applied, as long as others wait behind it; 0 at the end",
    ["projection", "topic"],
)
APPLIED = Counter("kegai_applied_records", "Records that a projection has applied", ["projection"])
PARKED = Gauge("kegai_parked_records", "Records that a projection has parked", ["projection"])
BATCH_SECONDS = Histogram(
    "kegai_batch_seconds", "Time to apply one batch, commit included", ["projection"], buckets=FROM_A_WINDOW
)

CLOCK_LOOKED = Gauge("kegai_clock_looked_seconds", "When all that was due had been done last, as seconds since 1970")
CLOCK_DONE = Counter("kegai_clock_done", "Things that were due and are done, by kind", ["kind"])
CLOCK_FAILURES = Counter("kegai_clock_failures", "Things that were due and could not be done, by kind", ["kind"])

SSE_READERS = Gauge("kegai_sse_readers", "Open streams", ["channel"])


def configure_logging(service: str, role: str) -> None:
    """Every line of this process is one JSON object with the time, the level, the service and the role.

    What libraries log is no exception. Tracebacks come without local variables: those hold tokens and people's data.
    """
    told: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    as_json = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*told, as_json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, role=role)
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, as_json],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *told],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[libraries])


log = structlog.get_logger()
