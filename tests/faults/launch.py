"""Starts a role as ``python -m <service> <role>`` does, with a line of a real module replaced, or a failure laid.

    python -m faults.launch [--mutant NAME] [--failpoint NAME]... <service> <role>

No product code knows of it. A mutant is put in while its module is loaded. A failpoint wraps a method of a loaded class
and strikes the first time that the process gets there; whoever starts the process again starts it without.
"""

import argparse
import functools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from types import CodeType, FunctionType, ModuleType
from typing import Any

from faults.history import HarnessError
from faults.mutants import MUTANTS, Mutant

# ── mutants ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class ChangedSource(SourceFileLoader):
    """Loads a module from its own source with a mutant's replacements in it; no byte code is read or kept."""

    def __init__(self, spec: ModuleSpec, mutant: Mutant) -> None:
        super().__init__(spec.name, str(spec.origin))
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        """The changed source, compiled.

        :raises HarnessError: a text that is to be replaced is not there exactly once.
        """
        source = self.get_source(fullname)
        assert source is not None
        for change in self._mutant.changes:
            if change.module == fullname:
                if (found := source.count(change.text)) != 1:
                    raise HarnessError(f"mutant {self._mutant.name}: {fullname} has its text {found} times, not once")
                source = source.replace(change.text, change.replacement)
        return compile(source, self.get_filename(fullname), "exec", dont_inherit=True)


class Mutating:
    """A finder of modules that hands out the changed ones and leaves all others to those after it."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's own place, with a loader that changes it."""
        if name not in self._mutant.modules:
            return None
        return changed_spec(name, self._mutant, path)


def changed_spec(name: str, mutant: Mutant, path: Sequence[str] | None = None) -> ModuleSpec:
    """How a changed module is loaded.

    :raises HarnessError: there is no such module.
    """
    if path is None and "." in name:
        path = import_module(name.rpartition(".")[0]).__path__
    spec = PathFinder.find_spec(name, path)
    if spec is None:
        raise HarnessError(f"mutant {mutant.name}: there is no module {name}")
    spec.loader = ChangedSource(spec, mutant)
    return spec


def mutate(mutant: Mutant) -> None:
    """Let this process run on the changed modules; they are loaded at once, so that a text that is gone is an error.

    :raises HarnessError: a module was loaded before, or a text is not there exactly once.
    """
    if loaded := sys.modules.keys() & mutant.modules:
        raise HarnessError(f"mutant {mutant.name}: {', '.join(loaded)} was loaded before it could be changed")
    sys.meta_path.insert(0, Mutating(mutant))
    for module in mutant.modules:
        import_module(module)


def changed_module(mutant: Mutant, name: str) -> ModuleType:
    """A mutant's module beside the real one, for a test in this very process: nothing else gets to see it.

    :raises HarnessError: as ``mutate``.
    """
    spec = changed_spec(name, mutant)
    module = module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


def changed_function(mutant: Mutant, name: str, function: str) -> FunctionType:
    """One function of a mutant's module, at home in the real one: for modules that declare tables, which they do once.

    :raises HarnessError: as ``mutate``, or there is no such function.
    """
    loader = changed_spec(name, mutant).loader
    assert isinstance(loader, ChangedSource)
    for part in loader.get_code(name).co_consts:
        if isinstance(part, CodeType) and part.co_name == function:
            return FunctionType(part, vars(import_module(name)))
    raise HarnessError(f"mutant {mutant.name}: {name} has no function {function}")


# ── failpoints ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Failpoint:
    """A place in a method of a loaded class: the process that gets there first kills or freezes itself."""

    name: str
    module: str
    owner: str
    method: str
    after: bool
    """Whether it strikes once the method has done its work, or before it begins."""
    how: signal.Signals
    spent: bool = False

    def lay(self) -> None:
        """Wrap the method in this process."""
        owner = getattr(import_module(self.module), self.owner)
        method: Callable[..., Any] = getattr(owner, self.method)

        @functools.wraps(method)
        async def failing(*args: Any, **options: Any) -> Any:
            if not self.after:
                self._strike()
            answer = await method(*args, **options)
            if self.after:
                self._strike()
            return answer

        setattr(owner, self.method, failing)

    def _strike(self) -> None:
        if not self.spent:
            self.spent = True
            os.kill(os.getpid(), self.how)


PRODUCER, CONSUMER = ("aiokafka", "AIOKafkaProducer"), ("aiokafka", "AIOKafkaConsumer")
FAILPOINTS = {
    point.name: point
    for point in (
        Failpoint("relay-killed-after-ack", *PRODUCER, "commit_transaction", after=True, how=signal.SIGKILL),
        Failpoint("relay-frozen-before-send", *PRODUCER, "begin_transaction", after=False, how=signal.SIGSTOP),
        Failpoint("relay-frozen-before-commit", *PRODUCER, "commit_transaction", after=False, how=signal.SIGSTOP),
        Failpoint("projector-killed-before-commit", "common.inbox", "Inbox", "receive", after=True, how=signal.SIGKILL),
        Failpoint("projector-killed-after-commit", *CONSUMER, "commit", after=False, how=signal.SIGKILL),
    )
}


def main(words: Sequence[str]) -> None:
    """Change what is to be changed, lay what is to be laid, and run the role."""
    asked = argparse.ArgumentParser(prog="python -m faults.launch")
    asked.add_argument("--mutant", choices=sorted(MUTANTS))
    asked.add_argument("--failpoint", action="append", default=[], choices=sorted(FAILPOINTS))
    asked.add_argument("service")
    asked.add_argument("role")
    told = asked.parse_args(words)
    if told.mutant:
        mutate(MUTANTS[told.mutant])
    for name in told.failpoint:
        FAILPOINTS[name].lay()
    sys.argv = [told.service, told.role]
    import_module("common.process").main(told.service)


if __name__ == "__main__":
    main(sys.argv[1:])
