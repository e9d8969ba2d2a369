"""Mutants in this process: how one is had, and what is asked of it and of the real module beside it."""

from typing import Any

import pytest

from faults.evidence import Evidence
from faults.invariants import check
from faults.launch import changed_module
from faults.mutants import MUTANTS

REAL = "the real module"


def tried(*mutants: str) -> pytest.MarkDecorator:
    """Each of these mutants, and the real module: what reveals a mistake must not be one itself."""
    return pytest.mark.parametrize("name", [REAL, *mutants])


def changed(name: str, module: str) -> Any:
    """A module with the mutant in it, or None for the real one."""
    return None if name == REAL else changed_module(MUTANTS[name], module)


def judge(name: str, evidence: Evidence, *, by: str | None = None) -> None:
    """The real module violates nothing, the mutant at least what must catch it."""
    violated = {invariant: found for invariant, found in check(evidence).items() if found}
    if name == REAL:
        assert violated == {}
    else:
        assert (by or MUTANTS[name].caught_by) in violated
