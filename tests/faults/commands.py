"""What a client does next on the items that it shares with others: lawful as far as it knows, and seeded."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from builders import milestone_body
from faults.stack import JUDGE, OFFICE, REPORTER, ItemUnderTest

SHARED_MILESTONE: Final = 1
"""The milestone that every client reschedules, each time to a day of its own: a command done twice shows."""
FIRST_OWN_MILESTONE: Final = 10
_ATTAINED: Final = "2022-06-01"

STEPS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "none": (("milestones", "planned"),),
    "planned": (("report", "reported"), ("report", "reported"), ("reschedule", "planned")),
    "reported": (("verify", "verified"), ("return", "planned")),
    "verified": (("revoke", "planned"),),
}
"""From a milestone's state: the commands that it takes and where each of them leads."""
_WHO: Final = {"report": REPORTER, "verify": JUDGE, "return": JUDGE, "revoke": JUDGE}


@dataclass(frozen=True, slots=True)
class Intent:
    """A command that a client is about to give."""

    item: ItemUnderTest
    action: str
    who: tuple[str, str]
    body: bytes
    then: str | None
    """The state in which it leaves the client's own milestone; None for the shared one."""

    @property
    def path(self) -> str:
        """Where it is sent."""
        return f"/api/v1/items/{self.item.id}/{self.action}"


@dataclass
class Doing:
    """One client's turn of mind: its own milestone on each item, and where it believes each of them to stand."""

    number: int
    random: Random
    items: list[ItemUnderTest]
    beliefs: dict[str, str] = field(default_factory=dict)

    @property
    def milestone(self) -> int:
        """The number of this client's own milestone on every item."""
        return FIRST_OWN_MILESTONE + self.number

    def next(self) -> Intent:
        """What to do now: mostly a step of the own milestone, sometimes one of the milestone that all share."""
        item = self.random.choice(self.items)
        if self.random.random() < 0.2:
            return self._on(item, SHARED_MILESTONE, "reschedule", None)
        step, then = self.random.choice(STEPS[self.beliefs.get(item.code, "none")])
        return self._on(item, self.milestone, step, then)

    def _on(self, item: ItemUnderTest, number: int, step: str, then: str | None) -> Intent:
        action = step if step == "milestones" else f"milestones/{number}/{step}"
        body = json.dumps(self._body(step, number), ensure_ascii=False).encode()
        return Intent(item, action, _WHO.get(step, OFFICE), body, then)

    def _body(self, step: str, number: int) -> dict[str, Any]:
        mark = f"客户端 {self.number} 的第 {self.random.getrandbits(48):x} 号说明"
        match step:
            case "milestones":
                return milestone_body(number)
            case "report":
                return {"attained_on": _ATTAINED, "note": mark}
            case "reschedule":
                day = date(2023, 1, 1) + timedelta(days=self.random.randrange(200_000))
                return {"planned_on": day.isoformat(), "reason": mark}
            case "return":
                return {"reason": mark}
            case "revoke":
                return {"reason": mark, "authority": "会议纪要 2022-2"}
        return {}

    def accepted(self, intent: Intent) -> None:
        """It was carried out: the milestone stands where the command leads."""
        if intent.then is not None:
            self.beliefs[intent.item.code] = intent.then

    def told(self, item: ItemUnderTest, shown: dict[str, Any]) -> None:
        """The item as the service shows it: what was believed gives way."""
        states = {one["number"]: one["state"] for one in shown["milestones"]}
        self.beliefs[item.code] = states.get(self.milestone, "none")
