"""The words of the reform that measures and items are tagged with, each from a closed list."""

from enum import StrEnum
from typing import Self, TypeAlias


class Tag(StrEnum):
    """A word of a closed list, with what it is called in both languages."""

    zh: str
    en: str
    priority: bool

    def __new__(cls, value: str, zh: str, en: str, priority: bool = False) -> Self:
        """A member: its value on the wire, its names, and whether the reform puts it first."""
        tag = str.__new__(cls, value)
        tag._value_, tag.zh, tag.en, tag.priority = value, zh, en, priority
        return tag


class Quality(Tag):
    """强“三性”: which of the three qualities is strengthened."""

    POLITICAL = "political", "政治性", "political character"
    ADVANCED = "advanced", "先进性", "advanced character"
    MASS = "mass", "群众性", "mass character"


class Tendency(Tag):
    """去“四化”: which of the four tendencies is removed; the first two are the stubborn ones."""

    OFFICE = "office", "机关化", "acting like an office", True
    ADMINISTRATIVE = "administrative", "行政化", "acting like an authority", True
    ARISTOCRATIC = "aristocratic", "贵族化", "keeping to an elite"
    ENTERTAINMENT = "entertainment", "娱乐化", "turning to entertainment"


class ServiceTo(Tag):
    """“四服务”: whom or what is served."""

    WORKERS = "workers", "服务科技工作者", "science and technology workers"
    INNOVATION = "innovation", "服务创新驱动发展", "innovation-driven development"
    LITERACY = "literacy", "服务全民科学素质提升", "public science literacy"
    DECISIONS = "decisions", "服务党和政府科学决策", "scientific decision-making"


ItemTag: TypeAlias = Quality | Tendency | ServiceTo
"""What an item may be tagged with; why it was chosen is its ``Focus``."""
