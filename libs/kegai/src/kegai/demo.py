"""The product's main job, done once before one's eyes: a milestone is verified and the view moves."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from kegai.language import StackError, chosen, say
from kegai.seeds.data import read

TokenFor = Callable[[str, str], str]
"""From a role and a unit's code to a token."""

_SECONDS_MAX = 10.0
_BEHIND_SECONDS_MAX = 30.0
"""After an outage Kafka waits for the consumers of before, up to ten seconds, until it gives new ones their share."""
_JUDGE, _REPORTER = "reform-office", "unit-reporter"


class NothingLeft(StackError):
    """No milestone waits for a judgement, and none can be reported so that it would."""


@dataclass(frozen=True)
class Advance:
    """What was seen: whose milestone, the time from the reply to the frame, the measure's verified share (0 to 1)."""

    item: str
    number: int
    measure: str
    milliseconds: float
    before: float | None
    after: float | None

    def __str__(self) -> str:
        moved = f"{self.measure} {_percent(self.before)} → {_percent(self.after)}"
        return say(
            f"{self.item} 的节点 {self.number} 经网关核验，{self.milliseconds:.0f} 毫秒后进入视图（{moved}）",
            f"milestone {self.number} of {self.item} verified through the gateway, "
            f"in the view {self.milliseconds:.0f} ms later ({moved})",
        )


async def advance(url: str, token_for: TokenFor) -> Advance:
    """Verify the next milestone that waits for it, reporting one first if none does, and time its way into the view.

    Raises:
        StackError: no milestone is left, the API refused, or the view did not move within 10 seconds.
    """
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_SECONDS_MAX) as http:
            return await _advance(http, _Api(http, token_for))
    except httpx.TransportError as error:
        raise StackError(
            f"{url} 无应答（{error}）。请运行：kegai status", f"{url} does not answer ({error}). Look at: kegai status"
        ) from error


async def _advance(http: httpx.AsyncClient, api: "_Api") -> Advance:
    step = await _next_to_verify(api)
    measure = step.item["measure"]
    before = await _settled_share(api, measure)
    async with _arrivals(http) as arrivals:
        position = await api.take(step)
        replied = perf_counter()
        seen = await arrivals.of(position)
    after = await api.verified_share(measure, position)
    return Advance(step.item["code"], step.number, measure, max(0.0, seen - replied) * 1000, before, after)


@dataclass(frozen=True)
class _Step:
    """A command on a milestone that is open to someone: the item, the milestone's number, and who may give it."""

    item: dict[str, Any]
    number: int
    action: str
    role: str
    unit: str


async def _settled_share(api: "_Api", measure: str) -> float | None:
    """The verified progress of a measure when all that its items have been through is in the view."""
    share = await api.verified_share(measure)
    for item in await api.items(_JUDGE, ""):
        if item["measure"] == measure:
            share = await api.verified_share(measure, f"{item['id']}@{item['version']}")
    return share


async def _next_to_verify(api: "_Api") -> _Step:
    units = await api.units()
    departments = [unit["code"] for unit in units if unit["kind"] == "department"]
    step = await _waiting(api, "verify", _JUDGE, departments)
    if step is None:
        await _report_one(api, {unit["id"]: unit["code"] for unit in units})
        step = await _waiting(api, "verify", _JUDGE, departments)
    if step is None:
        raise NothingLeft(
            "所有可核验的节点都已核验；如需重新演示：make reset，再 make up。",
            "Every milestone that can be is verified. To show it again: make reset, then make up.",
        )
    return step


async def _waiting(api: "_Api", action: str, role: str, units: list[str]) -> _Step | None:
    """The first milestone on which a role of one of the units may do `action`."""
    for unit in units:
        for item in await api.items(role, unit):
            for allowed in item["allowed_actions"]:
                if match := re.fullmatch(rf"milestones/(\d+)/{action}", allowed):
                    return _Step(item, int(match[1]), action, role, unit)
    return None


async def _report_one(api: "_Api", codes: dict[str, str]) -> None:
    owners = dict.fromkeys(codes[item["owner"]] for item in await api.items(_JUDGE, ""))
    step = await _waiting(api, "report", _REPORTER, list(owners))
    if step is not None:
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
        await api.take(step, {"attained_on": today, "note": "演示 / demonstration"})


class _Api:
    """The public API as its callers see it: through the gateway, each time in the name of a role and a unit."""

    def __init__(self, http: httpx.AsyncClient, token_for: TokenFor) -> None:
        self._http = http
        self._token_for = token_for
        self._plan = {"plan": read().plan.code}  # of the seeds: somebody may have put another into force

    async def units(self) -> list[dict[str, Any]]:
        """All units."""
        return await self._list("/api/v1/units", _JUDGE, "", {})

    async def items(self, role: str, unit: str) -> list[dict[str, Any]]:
        """All items of the seeds' plan that the caller sees."""
        return await self._list("/api/v1/items", role, unit, self._plan)

    async def take(self, step: _Step, body: dict[str, Any] | None = None) -> str:
        """Give the command; the position that it reached."""
        path = f"/api/v1/items/{step.item['id']}/milestones/{step.number}/{step.action}"
        reply = await self._http.post(path, json=body or {}, headers=self._headers(step.role, step.unit))
        return str(_accepted(reply)["position"])

    async def verified_share(self, measure: str, position: str | None = None) -> float | None:
        """The verified progress of a measure, not older than `position`; a view that is behind is asked again."""
        parameters = self._plan | ({"min_position": position} if position else {})
        deadline = perf_counter() + _BEHIND_SECONDS_MAX
        while True:
            reply = await self._http.get(f"/api/v1/progress/measures/{measure}", params=parameters)
            if reply.status_code != 503 or perf_counter() > deadline:
                break
            await asyncio.sleep(float(reply.headers.get("retry-after", "1")))
        share = _accepted(reply)["measure"]["progress"]["verified"]
        return None if share is None else float(share)

    async def _list(self, path: str, role: str, unit: str, asked: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        parameters = {"limit": "200"} | asked
        while True:
            reply = await self._http.get(path, params=parameters, headers=self._headers(role, unit))
            page = _accepted(reply)
            found += page["items"]
            if not page.get("next"):
                return found
            parameters["cursor"] = page["next"]

    def _headers(self, role: str, unit: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token_for(role, unit)}", "Accept-Language": chosen()}


class _Arrivals:
    """When each position was first seen on the live stream."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._news = asyncio.Event()

    async def follow(self, stream: httpx.Response) -> None:
        """Read frames until cancelled."""
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                now = perf_counter()
                for position in json.loads(line.removeprefix("data:")).get("positions", ()):
                    self._at.setdefault(position, now)
                self._news.set()

    async def of(self, position: str) -> float:
        """When the position was seen, waiting for it if it was not yet."""
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                while position not in self._at:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise StackError(
                f"{_SECONDS_MAX:.0f} 秒内视图未变化（{position}）。请运行：kegai status",
                f"The view did not move within {_SECONDS_MAX:.0f} s ({position}). Look at: kegai status",
            ) from None
        return self._at[position]


@asynccontextmanager
async def _arrivals(http: httpx.AsyncClient) -> AsyncIterator[_Arrivals]:
    """Follow the live stream, from its first byte on, while the body runs."""
    async with http.stream("GET", "/stream", timeout=httpx.Timeout(_SECONDS_MAX, read=None)) as stream:
        if stream.is_error:
            await stream.aread()
            _accepted(stream)
        arrivals = _Arrivals()
        following = asyncio.create_task(arrivals.follow(stream))
        try:
            yield arrivals
        finally:
            following.cancel()


def _accepted(reply: httpx.Response) -> dict[str, Any]:
    """The body of a good reply; a refusal is told in the API's own words."""
    if reply.is_success:
        body: dict[str, Any] = reply.json()
        return body
    asked = f"{reply.request.method} {reply.request.url.path}"
    raise StackError(f"{asked} 被拒绝（{reply.status_code}）：{reply.text}", f"{asked} was refused: {reply.text}")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"
