"""The published language: what the services tell each other and the world, one module per producer, no behaviour.

A class here is a promise to readers that we do not know. Inside a major version fields are only added, each with a
default; a change of meaning is a new class with the next major. Readers ignore what they do not know.
What is published of it lies beside it: ``samples/`` written by hand, ``schemas/`` made from the classes.
"""

import re
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

PREFIX: Final = "cn.cqast"

Code = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,39}$", description="A human code: unique, never reused.")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
NameZh = Annotated[Title, Field(description="The name in Chinese.")]
NameEn = Annotated[Title, Field(description="The name in English.")]
TitleZh = Annotated[Title, Field(description="The title in Chinese.")]
TitleEn = Annotated[Title, Field(description="The title in English.")]
EffectiveOn = Annotated[
    date, Field(description="The day in Shanghai on which it took effect; the header ce_effectiveat says the same.")
]


class Event(BaseModel):
    """Something that happened, as it is told on a topic.

    Subclasses are named in the past tense; the wire type follows from the name:
    ``MilestoneVerified`` told by measures is ``cn.cqast.measures.milestone-verified.v1``.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    producer: ClassVar[str]
    """The service that tells it: set once, in the base class of a producer's events."""
    major: ClassVar[int] = 1
    type: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Give an event its wire type and enter it in the catalogue; a producer's own base class is none."""
        super().__pydantic_init_subclass__(**kwargs)
        if "producer" in cls.__dict__:
            return
        words = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        cls.type = f"{PREFIX}.{cls.producer}.{words}.v{cls.major}"
        if cls.type in CATALOGUE:
            raise TypeError(f"two events are told as {cls.type}")
        CATALOGUE[cls.type] = cls


CATALOGUE: Final[dict[str, type[Event]]] = {}
"""Every event type known to this process, by wire type: filled as the contract modules are imported."""


def source(producer: str) -> str:
    """The CloudEvents source of a producer: ``urn:cqast:measures``."""
    return f"urn:cqast:{producer}"


def topic(producer: str) -> str:
    """The topic that carries a producer's facts: ``cqast.measures.events.v1``."""
    return f"cqast.{producer}.events.v1"
