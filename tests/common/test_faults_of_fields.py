"""What is wrong with a field is said in the caller's language, with what would be right, and names no class of ours."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, StrictBool, ValidationError

from common.problems import fault_of
from measures.item.lists import ItemOrder


class Asked(BaseModel):
    """One field of each kind that can be wrong in a way of its own."""

    kind: Literal["code", "due"] = "code"
    sort: ItemOrder = ItemOrder.CODE
    weight: Annotated[Decimal, Field(gt=0, decimal_places=2, max_digits=6)] = Decimal(1)
    yes: StrictBool = True
    at: datetime | None = None
    parts: list[int] = []


@pytest.mark.parametrize(
    ("told", "zh"),
    [
        ({"kind": "x"}, "应为：'code' 或 'due'"),
        ({"sort": "x"}, "应为：'code' 或 'due'"),
        ({"weight": "0.001"}, "小数至多 2 位"),
        ({"weight": "NaN"}, "应为有限的数"),
        ({"weight": "0"}, "应大于 0"),
        ({"yes": "true"}, "应为 true 或 false"),
        ({"at": "soon"}, "应为带时区的时刻，如 2022-06-30T08:00:00+08:00"),
        ({"parts": {}}, "应为 JSON 数组"),
        ([], "应为 JSON 对象"),
    ],
)
def test_each_fault_of_a_field_is_said_in_chinese_with_what_would_be_right(told: object, zh: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(told)
    (error,) = caught.value.errors()
    assert fault_of({**error}, "zh").detail == zh
    assert "Asked" not in fault_of({**error}, "en").detail
