"""Sending again what a topic lacks, told as it goes: what is there, what is lacking and where, what was sent."""

import sys
from collections.abc import Collection
from uuid import UUID

from common.republish import Contradicted, Republisher, Scope, Survey, survey
from kegai.console import padded
from kegai.language import StackError, say
from kegai.operating.places import Place


async def republish(place: Place, aggregates: Collection[UUID], *, dry_run: bool) -> int:
    """Send what one service's topic lacks, or only tell what that would be; the number of events that were sent.

    Raises:
        StackError: the topic holds another event in the place of a stored one.
    """
    sent = 0
    try:
        for number in range(place.slices):
            scope = Scope(aggregates, number, place.slices)
            if dry_run:
                _say(told(place, await survey(place.database_url, place.bootstrap, place.topic, scope)))
                continue
            republisher = Republisher(
                service=place.service,
                slice_number=number,
                database_url=place.database_url,
                bootstrap=place.bootstrap,
                topic=place.topic,
            )
            sent += (await republisher.republish(scope, _Progress(place))).lacks
    except Contradicted as error:
        raise StackError(
            f"主题与数据库不一致：{error}。请运行：kegai audit verify",
            f"The topic contradicts the database: {error}. Look at: kegai audit verify",
        ) from error
    return sent


def told(place: Place, seen: Survey) -> str:
    """What was found: one sentence, then a line for each partition that lacks something."""
    lines = [
        say(
            f"{place.topic}：{seen.records} 条记录；已发送的事件中 {seen.found} 个在主题上，缺 {seen.lacks} 个；"
            f"另有 {seen.waiting} 个待中继发布。",
            f"{place.topic}: {seen.records:,} records; of the events that were sent {seen.found:,} are there and "
            f"{seen.lacks:,} are lacking; {seen.waiting:,} more wait for the relay.",
        )
    ]
    for partition, lack in sorted(seen.lacking.items()):
        first, last = lack.first, lack.last
        lines.append(
            f"  {padded(say(f'分区 {partition}', f'partition {partition}'), 14)}{lack.count:>9,}   "
            f"{first.aggregate_id}@{first.version} {first.recorded_at:%Y-%m-%d %H:%M:%S} … "
            f"{last.aggregate_id}@{last.version} {last.recorded_at:%Y-%m-%d %H:%M:%S} UTC"
        )
    return "\n".join(lines)


class _Progress:
    """Tells what was found, then counts what is sent, on one line where there is a terminal."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, seen: Survey, done: int) -> None:
        if done == 0:
            _say(told(self._place, seen))
        elif sys.stdout.isatty() or done == seen.lacks:
            end = "\n" if done == seen.lacks else ""
            _say(say(f"\r已发送 {done} / {seen.lacks}", f"\rsent {done:,} of {seen.lacks:,}"), end)


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()
