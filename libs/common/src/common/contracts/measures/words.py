"""What the events of measures are worded with: why, by which authority, who judged, and what is spoken of."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts import Code, Event, Text, Title

Reason = Annotated[Text, Field(description="Why.")]
Authority = Annotated[Title, Field(description="The decision or document by which it was done.")]
Judge = Annotated[UUID, Field(description="The unit that judged: neither lead, owner nor co-unit, nor below one.")]
Subject = Annotated[Code, Field(description="The measure or item that it is of, by its code within the plan.")]


class SubjectKind(StrEnum):
    """What a rating or a risk is of."""

    MEASURE = "measure"
    ITEM = "item"


class Value(BaseModel):
    """A part of an event: frozen, and read leniently like the event itself."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class MeasuresEvent(Event):
    """A fact told by measures."""

    producer: ClassVar[str] = "measures"
