"""A query is put together from what is asked for alone: so that each question goes along the index that fits it."""

from typing import Any


class Asking:
    """A query's conditions and their parameters, as they come together."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.parameters: list[Any] = []

    def where(self, condition: str, *values: Any) -> None:
        """One more condition; ``{}`` in it stands for the next of these values, ``{0}`` for the first."""
        self.conditions.append(self.placed(condition, *values))

    def placed(self, condition: str, *values: Any) -> str:
        """A condition, its values among the parameters, for whoever says itself where in the query it holds."""
        places = [f"${len(self.parameters) + n}" for n in range(1, len(values) + 1)]
        self.parameters += values
        return condition.format(*places)

    def __str__(self) -> str:
        """The conditions, all of which have to hold."""
        return " AND ".join(self.conditions) or "true"
