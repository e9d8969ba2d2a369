"""What an audit found, in words: counts where all is sound, else the first event that is not, and where."""

from common.audit import Audit, Break, Fault, verify
from kegai.language import say
from kegai.operating.places import Place

SHOWN_MAX = 10

WORDS = {
    Fault.ALTERED: ("内容或列与其哈希不符", "its content is not what was hashed"),
    Fault.MISSING: ("缺失", "it is missing"),
    Fault.MISPLACED: ("此处是另一版本（疑似调换）", "another version stands in its place, as when two are swapped"),
    Fault.UNLINKED: (
        "未承接前一事件的哈希：两者之一被重新计算",
        "it does not carry the hash of the event before it: one of the two was hashed anew",
    ),
    Fault.NOT_KEPT: ("对象的行已不存在或与最后一个事件不符", "the aggregate's own row is gone or does not name it"),
    Fault.REHASHED: (
        "数据库与主题不一致：被改动并重新计算了哈希",
        "the topic has it otherwise: altered here, and hashed anew",
    ),
    Fault.FORGED: ("主题上的记录冒充该事件", "a record on the topic says that it is this event, and is not"),
    Fault.UNKNOWN: (
        "主题上有而数据库中没有：已被删除，或从未作出",
        "on the topic and not in the database: deleted here, or never decided",
    ),
    Fault.STRANGE: ("主题上有一条不属于本系统的记录", "a record on the topic is no event of ours"),
    Fault.UNPUBLISHED: (
        "主题上没有，也不待发布。见：kegai republish",
        "not on the topic, and not waiting: kegai republish",
    ),
}


async def audit(place: Place, *, with_topic: bool) -> Audit:
    """Look at one service's events, and at its topic unless that is left out."""
    return await verify(place.database_url, place.bootstrap, place.topic if with_topic else None)


def told(place: Place, found: Audit, *, with_topic: bool) -> str:
    """The outcome for one service: one sentence first, then the breaks."""
    if not found.breaks:
        return _sound(place, found, with_topic=with_topic)
    count = len(found.breaks)
    counts = (found.events, found.aggregates, count)
    lines = [
        say(
            f"✗ {place.service}：{counts[1]:,} 个对象的 {counts[0]:,} 个事件中 {count:,} 处不成立；第一处：",
            "✗ {}: {:,} events of {:,} aggregates, not sound in {:,} places, first:".format(place.service, *counts),
        )
    ]
    lines += [f"  {_line(one)}" for one in found.breaks[:SHOWN_MAX]]
    if count > SHOWN_MAX:
        lines.append(say(f"  …… 另有 {count - SHOWN_MAX} 处", f"  … and {count - SHOWN_MAX:,} more"))
    return "\n".join(lines)


def _sound(place: Place, found: Audit, *, with_topic: bool) -> str:
    chains = say(
        f"✓ {place.service}：{found.aggregates:,} 个对象的 {found.events:,} 个事件环环相扣",
        f"✓ {place.service}: {found.events:,} events of {found.aggregates:,} aggregates hang together",
    )
    if not with_topic:
        return chains + say("（未查主题）", " (the topic was not looked at)")
    counts = (found.records, found.repeats, found.waiting)
    return chains + say(
        "；{} 的 {:,} 条记录与之一致（重复 {:,}，待发布 {:,}）".format(place.topic, *counts),
        "; {} says the same in {:,} records ({:,} repeats, {:,} yet to come)".format(place.topic, *counts),
    )


def _line(one: Break) -> str:
    what = say(*WORDS[one.fault])
    if one.aggregate_id is None:
        return f"{what} · {one.detail}"
    event = one.event_id or "?"
    line = f"{one.aggregate_type} {one.aggregate_id}@{one.version}, event {event}: {what} · {one.detail}".rstrip(" ·")
    return "".join(sign if sign.isprintable() else "�" for sign in line)  # who forges a record chooses its signs
