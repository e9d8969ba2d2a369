"""What a client says to have a successor plan go on with an item."""

from uuid import UUID

from pydantic import ConfigDict

from common.contracts import Code
from common.http import Command, Day


class Continuation(Command):
    """Which item the successor goes on with, under which measure and code there, and when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "item": "0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f",
                    "measure": "B2",
                    "planned_start_on": "2026-04-01",
                    "due_on": "2027-06-30",
                    "effective_on": "2026-04-01",
                }
            ]
        }
    )

    item: UUID
    """The item that was carried over."""
    measure: Code | None = None
    """Its measure in the successor; the same code if it is left out."""
    code: Code | None = None
    """Its code in the successor; the same if it is left out, which none has twice."""
    planned_start_on: Day
    due_on: Day
