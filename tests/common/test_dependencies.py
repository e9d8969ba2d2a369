"""The rules of who may import whom hold, cover every noun there is, and bite: each is broken here in a copy."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("libs/*/src/*"), *ROOT.glob("services/*/src/*")]
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
RULES = {contract["id"]: contract for contract in CONFIG["contracts"]}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as they are, to be broken."""
    folder = tmp_path_factory.mktemp("copy")
    for package in SOURCES:
        if package.is_dir():
            shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _lint(folder: Path, *rules: str) -> subprocess.CompletedProcess[str]:
    chosen = [part for rule in rules for part in ("--contract", rule)]
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", *chosen],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_rules_hold(copy: Path) -> None:
    found = _lint(copy)
    assert found.returncode == 0, found.stdout


BREAKS = {
    "a service imports another": ("services-apart", "talent/main.py", "import measures.main"),
    "what is common imports a service": ("common-below", "common/clock.py", "import talent.main"),
    "a service imports the tool": ("common-below", "societies/main.py", "import kegai.tokens"),
    "a domain imports its store": ("aggregate-layers", "measures/plan/domain.py", "import measures.plan.store"),
    "a store imports its door": ("aggregate-layers", "measures/item/store.py", "import measures.item.api"),
    "a store imports its commands": ("aggregate-layers", "measures/item/store.py", "import measures.item.commands"),
    "a domain imports the web framework": ("domain-pure", "societies/unit/domain.py", "import fastapi"),
    "a domain reaches the database by a detour": ("domain-pure", "measures/item/rules.py", "import common.database"),
    "a domain asks for the time": ("domain-pure", "measures/item/milestone.py", "import common.clock"),
    "a contract imports the broker's client": ("domain-pure", "common/contracts/talent.py", "import aiokafka"),
    "another service reads what measures tells": (
        "measures-contract", "societies/worker.py", "import common.contracts.measures",
    ),
    "a mechanism knows what talent tells": ("talent-contract", "common/store.py", "import common.contracts.talent"),
}  # fmt: skip


@pytest.fixture
def broken(copy: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The copy with one forbidden line in one of its files."""
    _, file, line = BREAKS[request.param]
    sound = (copy / file).read_text()
    (copy / file).write_text(f"{sound}\n{line}\n")
    yield copy
    (copy / file).write_text(sound)


@pytest.mark.parametrize(("broken", "rule"), [(name, rule) for name, (rule, *_) in BREAKS.items()], indirect=["broken"])
def test_a_rule_bites_when(broken: Path, rule: str) -> None:
    found = _lint(broken, rule)
    assert found.returncode == 1
    assert f"{RULES[rule]['name']} BROKEN" in found.stdout


def test_each_rule_is_broken_once() -> None:
    assert {rule for rule, *_ in BREAKS.values()} == RULES.keys()


# ── nothing is left out ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_noun_is_under_the_rules() -> None:
    domains = {".".join(path.parts[-3:-1]) for path in ROOT.glob("services/*/src/*/*/domain.py")}
    assert domains
    assert set(RULES["aggregate-layers"]["containers"]) == domains
    assert {f"{noun}.domain" for noun in domains} <= set(RULES["domain-pure"]["source_modules"])


def test_every_service_is_under_the_rules() -> None:
    services = {path.name for path in ROOT.glob("services/*") if path.is_dir()}
    assert set(RULES["services-apart"]["modules"]) == services


def test_every_producers_contract_is_under_the_rules_but_the_directory() -> None:
    folder = ROOT / "libs/common/src/common/contracts"
    modules = [path for path in folder.rglob("*.py") if "producer: ClassVar" in path.read_text()]
    told = {path.relative_to(folder).parts[0].removesuffix(".py") for path in modules}
    guarded = {rule["protected_modules"][0] for rule in RULES.values() if rule["type"] == "protected"}
    assert guarded == {f"common.contracts.{name}" for name in told - {"__init__", "directory"}}


def test_every_library_but_pydantic_is_a_framework() -> None:
    modules: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            modules.setdefault(distribution.lower().replace("_", "-"), set()).add(module)
    needed: set[str] = set()
    for file in (ROOT / "libs/common/pyproject.toml", *ROOT.glob("services/*/pyproject.toml")):
        for line in tomllib.loads(file.read_text())["project"]["dependencies"]:
            name = Requirement(line).name.lower()
            if name not in {"pydantic", "tzdata"} and not name.startswith("kegai-"):
                needed |= {module for module in modules[name] if not module.startswith("_")}
    assert needed <= set(RULES["domain-pure"]["forbidden_modules"])
