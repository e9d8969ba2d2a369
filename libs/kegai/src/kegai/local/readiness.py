"""Whether a program is alive and ready is its own word, asked on its port for operators."""

import http.client
import json
from contextlib import suppress
from dataclasses import dataclass, field

from kegai.local.ports import LOOPBACK

# measures waits for its copy of the directory, which is empty until the units are seeded through its neighbour.
_FILLED_BY_SEEDS = {"directory"}


@dataclass(frozen=True)
class Readiness:
    """A program's answer: whether it is ready, and the reason for each check that is not ok."""

    ready: bool
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def ready_for_seeds(self) -> bool:
        """Ready but for what the seeds will bring."""
        return self.ready or (bool(self.reasons) and self.reasons.keys() <= _FILLED_BY_SEEDS)


def ask(port: int, path: str, *, seconds: float = 2.0) -> tuple[int, str] | None:
    """Status and body of GET `path` on a loopback port; None if nobody answers within `seconds`."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=seconds)
    with suppress(OSError, http.client.HTTPException):
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()
    return None


def readiness(ops_port: int) -> Readiness:
    """What the program says at /readyz; not ready if it does not answer."""
    answer = ask(ops_port, "/readyz")
    if answer is None:
        return Readiness(ready=False)
    with suppress(ValueError, AttributeError):
        checks = json.loads(answer[1]).get("checks", {})
        reasons = {name: str(word) for name, word in checks.items() if word != "ok"}
        return Readiness(ready=answer[0] == http.client.OK, reasons=reasons)
    return Readiness(ready=answer[0] == http.client.OK)
