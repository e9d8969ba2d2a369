"""An import: each item of a sheet is a decision of its own, by the same domain and store as one that is told alone."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from common.call import Call
from common.decision import Kind, Refused
from common.directory import Directory
from common.fields import Text
from common.lanes import CONTENDED, STALE
from common.problems import fault_of
from common.store import ATTEMPTS_MAX
from measures.item.commands import addition
from measures.item.domain import Item
from measures.item.requests import ItemAddition
from measures.item.store import CODE_TAKEN, item_named, items
from measures.item_sheet.comparing import Wanted, against, bring_up, steps_to
from measures.item_sheet.lines import Line, lines_of, parents_in
from measures.item_sheet.reading import Sheet
from measures.item_sheet.report import LineVerdict, Remark, Report, Seen, Verdict
from measures.item_sheet.rules import CHANGED_SINCE, YES_OR_NO
from measures.measure.lead import MeasureAbove
from measures.measure.store import measure_above
from measures.plan.domain import Plan
from measures.plan.store import ground_named, plan_named

AT_ONCE: Final = 64
"""Items that are decided at once: as many as go to the database in two groups."""
AGAINST: Final = (Kind.CONFLICT, Kind.STALE)
"""Refusals for what is there already; all others are for what the sheet says."""
MET: Final = frozenset(one.code for one in (CONTENDED, STALE, CODE_TAKEN))
"""Refusals of what was otherwise a moment before: looked at again, it is decided by what is there."""


async def import_items(
    call: Call, directory: Directory, content: bytes, *, plan: str, dry_run: bool, token: str | None, language: str
) -> Report:
    """Take in a sheet, or say what taking it in would do; the same sheet again changes nothing.

    :param token: what a dry run gave: whatever has changed since then is a conflict.
    :param language: in which a person is told the reasons, ``zh`` or ``en``.
    :raises Refused: ``plan.unknown``, ``sheet.wrong-token``, and why the sheet as a whole is not taken; nothing was
        written then.
    """
    known, seen = await plan_named(call, plan), Seen(content, plan)
    before = None if token is None else seen.versions(token)
    sheet = await asyncio.to_thread(Sheet, content)
    lines, rows, versions = lines_of(sheet), list[LineVerdict](), list[int]()
    parents = await asyncio.to_thread(parents_in, sheet)
    taking = Taking(call, directory, known, parents, dry_run=dry_run, language=language)
    while some := await asyncio.to_thread(lambda: list(islice(lines, AT_ONCE))):
        told = await taking.take(some, None if before is None else before[len(rows) : len(rows) + len(some)])
        rows += [verdict for verdict, _ in told]
        versions += [version for _, version in told]
    counted = Counter(row.verdict for row in rows)
    return Report(
        plan=plan,
        sheet=sheet.name,
        dry_run=dry_run,
        counts={verdict: counted[verdict] for verdict in Verdict},
        rows=rows,
        token=seen.token(versions) if dry_run else None,
    )


class Said(ItemAddition):
    """An item as a sheet says it."""

    reason: Text | None = None
    """Why dates are moved, if any are."""


class Taking:
    """One import under way: what it looks up once, and what it remembers from line to line."""

    def __init__(
        self, call: Call, directory: Directory, plan: Plan, parents: Collection[str], *, dry_run: bool, language: str
    ) -> None:
        self._call = replace(call, key=None, expected_version=None)  # a key would be one for all of them
        self._directory, self._plan = directory, plan
        self._dry_run, self._language = dry_run, language
        self._above: dict[str, MeasureAbove] = {}
        self._codes: dict[UUID, str] = {}
        self._named_as_parents = parents
        self._parents: dict[str, Item] = {}
        """What this import has put on the list, of that which others of its lines are to be part of."""

    async def take(self, lines: Sequence[Line], seen: Sequence[int] | None) -> list[tuple[LineVerdict, int]]:
        """The verdict on each of some lines, with the version that its item had before.

        Those that met somebody else are taken again, at most five times in all: a turn in their plan, another import.

        :param seen: the versions of the dry run, if there was one.
        """
        told: dict[int, tuple[LineVerdict, int]] = {}
        for in_another in (False, True):  # what others of them may be part of comes first
            left = [n for n, line in enumerate(lines) if bool(line.words.get("parent")) is in_another]
            for _ in range(ATTEMPTS_MAX):
                present = await self._look({str(lines[n].code) for n in left})
                verdicts = await asyncio.gather(
                    *(self._take(lines[n], present.get(str(lines[n].code)), _at(seen, n)) for n in left)
                )
                told |= dict(zip(left, verdicts, strict=True))
                if not (left := [n for n in left if _met_another(told[n][0])]):
                    break
        return [told[n] for n in range(len(lines))]

    async def _look(self, codes: Collection[str]) -> dict[str, Item]:
        """How things stand now: the plan before all else, and those items of these codes that are there."""
        if not codes:
            return {}
        self._plan, self._ground = await ground_named(self._call, self._plan.code)
        self._above.clear()
        self._codes = {unit.id: code for code, unit in (await self._directory.units()).items()}
        return await _present(self._call, self._plan.code, codes)

    async def _take(self, line: Line, item: Item | None, seen: int | None) -> tuple[LineVerdict, int]:
        told = LineVerdict(
            row=line.row, code=line.code, verdict=Verdict.ERROR, item=item and item.id, formulas=line.formulas
        )
        faults: list[Remark] = [self._remark(cell, refused) for cell, refused in line.faults]
        try:
            if not faults:
                request = Said.model_validate({"plan": self._plan.code, **line.words, "reason": line.reason})
                told.verdict, told.item, refusals = await self._decide(request, item, seen)
                faults = [self._remark(self._cell(line, one), one) for one in refusals]
        except ValidationError as error:
            for one in error.errors():
                fault = fault_of({**one}, self._language)
                detail = YES_OR_NO[self._language] if one["type"].startswith("bool") else fault.detail
                faults.append(Remark(cell=line.cell_at(one["loc"]), code=fault.code, detail=detail))
        except Refused as refused:
            told.verdict = Verdict.CONFLICT if refused.refusal.kind in AGAINST else Verdict.ERROR
            faults = [self._remark(self._cell(line, refused), refused)]
        told.reasons = faults
        return told, item.version if item else 0

    async def _decide(
        self, request: Said, item: Item | None, seen: int | None
    ) -> tuple[Verdict, UUID | None, list[Refused]]:
        if item is None:
            self._require_unchanged(0, seen)
            return Verdict.NEW, await self._add(request), []
        wanted = await self._wanted(request)
        refusals = against(item, wanted)
        if not refusals and not _moves(item, wanted):
            return Verdict.SAME, item.id, []
        self._require_unchanged(item.version, seen)
        if refusals:
            return Verdict.CONFLICT, item.id, refusals
        await self._change(request, item, wanted)
        return Verdict.CHANGED, item.id, []

    def _require_unchanged(self, version: int, seen: int | None) -> None:
        if seen not in (None, version):
            raise CHANGED_SINCE(pointer="/code", seen=seen, now=version)

    async def _add(self, request: ItemAddition) -> UUID | None:
        """Put the item on the list; its id, unless this is only tried."""
        if request.measure not in self._above:
            self._above[request.measure] = await measure_above(self._call, self._plan.code, request.measure)
        decide = await addition(
            self._call,
            self._directory,
            request,
            plan=self._plan,
            parent=self._parents.get(request.parent or ""),
            above=self._above[request.measure],
        )
        if self._dry_run:
            decided = decide(uuid7()).state
            self._require({"item.add"}, decided)
            self._parents |= {decided.code: decided} if decided.code in self._named_as_parents else {}
            return None
        own = replace(self._call, permission="item.add")
        listed = UUID(orjson.loads((await items.create(own, decide, ground=self._ground)).body)["id"])
        if request.code in self._named_as_parents:
            self._parents[request.code] = decide(listed).state
        return listed

    async def _change(self, request: ItemAddition, item: Item, wanted: Wanted) -> None:
        on, by = self._call.effective(request.effective_on), self._call.caller_unit
        needed = [step.permission for step in steps_to(item, wanted, by=by, on=on)]
        self._require({items.to_see, *needed}, item)
        if self._dry_run:
            bring_up(item, wanted, by=by, on=on)
            return
        own = replace(self._call, permission=needed[0], expected_version=item.version)
        await items.change(own, item.id, lambda now: bring_up(now, wanted, by=by, on=on))

    def _require(self, permissions: set[str], item: Item) -> None:
        for missing in sorted(permissions - items.permitted(self._call, item)):
            raise self._call.permissions.refusal(missing)

    async def _wanted(self, request: Said) -> Wanted:
        """What the sheet says of an item that is there, with its units and its parent looked up."""
        said = request.model_fields_set - {"plan", "code", "milestones", "effective_on", "reason"}
        words: dict[str, Any] = {name: getattr(request, name) for name in said}
        words["owner"] = (await self._directory.unit(request.owner, pointer="/owner")).id
        if "co_units" in said:
            words["co_units"] = tuple(
                [
                    (await self._directory.unit(code, pointer=f"/co_units/{n}")).id
                    for n, code in enumerate(request.co_units)
                ]
            )
        if request.parent:
            words["parent"] = (await item_named(self._call, self._plan.code, request.parent, pointer="/parent")).id
        return Wanted(
            words=words,
            milestones=tuple(one.as_planned() for one in request.milestones),
            said_of_milestones=tuple(frozenset(one.model_fields_set) for one in request.milestones),
            reason=request.reason,
            codes=self._codes,
        )

    def _remark(self, cell: str, refused: Refused) -> Remark:
        return Remark(cell=cell, code=refused.refusal.code, detail=refused.say(self._language))

    @staticmethod
    def _cell(line: Line, refused: Refused) -> str:
        return line.cell_at(tuple(_parts(refused.pointer)))


async def _present(call: Call, plan: str, codes: Collection[str]) -> dict[str, Item]:
    """Those items of a plan that have one of these codes, by it."""
    sql = f"SELECT {items.selection} FROM item found WHERE plan = $1 AND code = ANY($2)"  # noqa: S608 - our own words
    found = map(items.codec.state_of, await call.service.pool.fetch(sql, plan, list(codes)))
    return {item.code: item for item in found}


def _parts(pointer: str | None) -> Iterator[str | int]:
    for part in (pointer or "").split("/")[1:]:
        yield int(part) if part.isdecimal() else part


def _met_another(verdict: LineVerdict) -> bool:
    """Whether nothing stood in its way but what somebody else did between the look and the save."""
    return any(remark.code in MET for remark in verdict.reasons)


def _at(seen: Sequence[int] | None, place: int) -> int | None:
    return seen[place] if seen is not None and place < len(seen) else None


def _moves(item: Item, wanted: Wanted) -> bool:
    """Whether the sheet says another day than the item, or a milestone that the item does not have."""
    planned = {milestone.number: milestone.planned_on for milestone in item.milestones}
    moved = any(planned.get(one.number) != one.planned_on for one in wanted.milestones)
    return moved or wanted.words.get("due_on", item.due_on) != item.due_on
