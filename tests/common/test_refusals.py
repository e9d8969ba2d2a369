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
from common.decision import Kind, Refusal
from common.problems import TITLES
from common.store import Aggregates


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
    assert _facts(refusal.en) >= _facts(refusal.zh)
    assert refusal.kind in TITLES


def test_every_title_is_said_in_both_languages() -> None:
    assert set(Kind) <= TITLES.keys()
    for zh, en in TITLES.values():
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert not re.search(r"[\u4e00-\u9fff]", en)
