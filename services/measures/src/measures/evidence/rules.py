"""The rules of evidence laid out: its states, who takes which step from which of them, and why one is refused."""

from enum import StrEnum
from typing import Final

from common.decision import Kind, Refusal, Worded

WRONG_STATE = Refusal(
    "evidence.wrong-state",
    zh="材料现处于“{state}”，不能执行此操作",
    en="The evidence is {state}: this cannot be done now",
)
NOT_REGISTRANT = Refusal(
    "evidence.not-registrant",
    zh="此操作由登记材料的单位执行",
    en="This is for the unit that registered the evidence",
    kind=Kind.FORBIDDEN,
)
NOT_ATTESTED = Refusal(
    "evidence.not-attested",
    zh="须声明材料不含国家秘密，否则不得登记",
    en="Only what is attested to be no state secret is taken",
    kind=Kind.INVALID,
)
ISSUED_LATER = Refusal(
    "evidence.issued-later",
    zh="材料的成文日期 {issued_on} 晚于登记日期 {on}",
    en="It cannot be registered on {on} if it was issued later, on {issued_on}",
    kind=Kind.INVALID,
)
LINKED_TWICE = Refusal(
    "evidence.linked-twice", zh="同一佐证对象重复列出", en="It is to prove the same thing twice", kind=Kind.INVALID
)
TOO_MANY_LINKS = Refusal(
    "evidence.too-many-links",
    zh="一份材料至多佐证 {most} 个对象",
    en="One document proves {most} things at most",
)
PROVES_NOTHING = Refusal(
    "evidence.proves-nothing",
    zh="材料尚未关联任何节点、事项或举措，无从核验",
    en="It is linked to nothing that it could prove",
)
REJECTED_OTHERWISE = Refusal(
    "evidence.rejected-otherwise", zh="材料已因另一原因被驳回", en="The evidence was rejected for another reason"
)
INVALIDATED_OTHERWISE = Refusal(
    "evidence.invalidated-otherwise",
    zh="材料已因另一原因或依据被认定无效",
    en="The evidence was invalidated for another reason or by another authority",
)
SUPERSEDED_OTHERWISE = Refusal(
    "evidence.superseded-otherwise",
    zh="材料已由另一份材料替代",
    en="The evidence was superseded by another document",
)
SUCCESSOR_UNFIT = Refusal(
    "evidence.successor-unfit",
    zh="替代材料须由同一单位登记，仍待核验或已核验；已核验的材料只能由已核验的材料替代",
    en="Its successor must be of the same unit and still stand; what is verified gives way only to what is verified",
)
SUCCESSOR_PROVES_LESS = Refusal(
    "evidence.successor-proves-less",
    zh="替代材料须佐证原材料佐证的全部对象",
    en="What takes its place must prove all that it was to prove",
)
LINKS_MAX: Final = 50


class EvidenceState(Worded):
    """Where a document stands; only what is verified counts."""

    REGISTERED = "registered", "已登记"
    VERIFIED = "verified", "已核验"
    REJECTED = "rejected", "已驳回"
    INVALIDATED = "invalidated", "已认定无效"
    SUPERSEDED = "superseded", "已被替代"


class Who(StrEnum):
    """Whose step it is: the registering unit's, or that of somebody independent of it and of what is proven."""

    REGISTRANT = "registrant"
    JUDGE = "judge"


_NEW, _STANDING = frozenset({EvidenceState.REGISTERED}), frozenset({EvidenceState.REGISTERED, EvidenceState.VERIFIED})

STEPS: Final[dict[str, tuple[frozenset[EvidenceState], Who]]] = {
    "link": (_NEW, Who.REGISTRANT),
    "unlink": (_NEW, Who.REGISTRANT),
    "verify": (_NEW, Who.JUDGE),
    "reject": (_NEW, Who.JUDGE),
    "invalidate": (frozenset({EvidenceState.VERIFIED}), Who.JUDGE),
    "supersede": (_STANDING, Who.REGISTRANT),
}
"""From which states each step is taken, and by whom. What it proves is settled when it is judged."""
