"""The faults, one to a file: each reads as what happens, and its file's name is its own."""

from importlib import import_module
from pkgutil import iter_modules

from faults.fault import Fault


def all_faults() -> dict[str, Fault]:
    """Every fault by its name (``relay_killed`` is ``relay-killed``), in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name.replace("_", "-"): import_module(f"{__name__}.{name}").FAULT for name in names}
