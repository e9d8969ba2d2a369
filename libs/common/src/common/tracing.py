"""W3C Trace Context, level 1: a trace goes on from request to event under one id, and begins here where there is none.

https://www.w3.org/TR/trace-context/ — headers only, and no more memory than they need: any tracer can join in.
"""

import re
import secrets
from collections.abc import MutableMapping
from typing import Any, Final, NamedTuple, Self

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED: Final = 0x01


class Trace(NamedTuple):
    """Where in which trace something happens."""

    trace_id: str
    """32 hexadecimal digits, the same for all that one request causes."""
    parent_id: str
    """16 hexadecimal digits: the span that causes the next one."""
    sampled: bool

    @classmethod
    def begun(cls) -> Self:
        """A trace that begins here; sampled, since nobody has said otherwise."""
        return cls(secrets.token_hex(16), secrets.token_hex(8), sampled=True)

    @classmethod
    def read(cls, traceparent: str | None) -> Self | None:
        """The trace that a header names; None where it is missing or breaks the rules, and must then be ignored."""
        found = _TRACEPARENT.fullmatch(traceparent or "")
        if found is None:
            return None
        version, trace_id, parent_id, flags, more = found.groups()
        if version == "ff" or (version == "00" and more) or not trace_id.strip("0") or not parent_id.strip("0"):
            return None
        return cls(trace_id, parent_id, sampled=bool(int(flags, 16) & _SAMPLED))

    def span(self) -> Self:
        """A span of its own within the same trace."""
        return self._replace(parent_id=secrets.token_hex(8))

    def __str__(self) -> str:
        """As it is sent: ``00-<trace id>-<parent id>-<flags>``."""
        return f"00-{self.trace_id}-{self.parent_id}-{'01' if self.sampled else '00'}"


def span_within(traceparent: str | None) -> Trace:
    """A span of our own: within the trace that a request names, or in a new one."""
    found = Trace.read(traceparent)
    return found.span() if found else Trace.begun()


def span_of(scope: MutableMapping[str, Any]) -> Trace:
    """The span in which a request (its ASGI scope) is served: made when it is first asked for, the same ever after."""
    state = scope["state"]
    if "span" not in state:
        given = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        state["span"] = span_within(given.decode("latin-1") if given else None)
    span: Trace = state["span"]
    return span
