"""Every reason to refuse has one code for ever and is said in both languages with the same facts."""

import pkgutil
import re
from collections import Counter
from importlib import import_module
from string import Formatter

import pytest

import common
import measures
import societies
import talent
from common.decision import Kind, Refusal, Worded
from common.problems import TITLES
from common.roles import Over
from common.store import Aggregates
from measures.plan.rules import WRONG_STATE, PlanState


def _refusals() -> dict[str, Refusal]:
    """All refusals that stand in a module, by where they stand; and those that a store makes for its noun."""
    found: dict[int, tuple[str, Refusal]] = {}
    for package in (common, measures, societies, talent):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in info.name or info.name.endswith("__main__"):
                continue
            for name, value in vars(import_module(info.name)).items():
                refusal = value.absent if isinstance(value, Aggregates) else value
                if isinstance(refusal, Refusal):
                    found.setdefault(id(refusal), (f"{info.name}.{name}", refusal))
    return dict(found.values())


REFUSALS = _refusals()


def _facts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_there_are_many() -> None:
    assert len(REFUSALS) > 50


def test_a_code_means_one_thing() -> None:
    assert [code for code, times in Counter(refusal.code for refusal in REFUSALS.values()).items() if times > 1] == []


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=[refusal.code for refusal in REFUSALS.values()])
def test_a_refusal_is_said_in_both_languages(refusal: Refusal) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*", refusal.code)
    assert re.search(r"[\u4e00-\u9fff]", refusal.zh)
    assert not re.search(r"[\u4e00-\u9fff]", refusal.en)
    assert _facts(refusal.en) >= {fact.removesuffix("_zh") for fact in _facts(refusal.zh)}
    assert refusal.kind in TITLES


def test_a_state_is_told_in_the_language_of_the_refusal() -> None:
    wrong = WRONG_STATE(state=PlanState.IN_FORCE)
    assert (wrong.say("zh"), wrong.say("en")) == (
        "方案现处于“实施中”，不能执行此操作",
        "The plan is in-force: this cannot be done now",
    )


def test_every_word_that_people_read_has_a_chinese_one() -> None:
    words = Worded.__subclasses__()
    assert {PlanState, Over} < set(words)
    for choice in words:
        assert all(re.fullmatch(r"[\u4e00-\u9fff]+", member.zh) for member in choice)
        assert len({member.zh for member in choice}) == len(choice)


def test_every_title_is_said_in_both_languages() -> None:
    assert set(Kind) <= TITLES.keys()
    for zh, en in TITLES.values():
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert not re.search(r"[\u4e00-\u9fff]", en)
