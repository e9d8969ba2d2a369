"""What the documents list is what there is: a list that is not compared with the code goes stale unseen."""

import re
from pathlib import Path

import pytest
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from common import telemetry
from faults.cases import all_faults
from faults.mutants import MUTANTS

CHECKOUT = Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *DOCS.rglob("*.md")])
METRICS = [one for one in vars(telemetry).values() if isinstance(one, MetricWrapperBase)]


def _rows(document: str, title: str) -> list[list[str]]:
    """The rows of the table whose first heading is ``title``, each as its cells."""
    _, _, table = (DOCS / document).read_text().partition(f"| {title} |")
    lines = table.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _named(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_every_metric_stands_in_the_operators_table_with_its_labels() -> None:
    declared = {}
    for metric in METRICS:
        (family,) = metric.describe()
        name = f"{family.name}_total" if isinstance(metric, Counter) else family.name
        declared[name] = set(metric._labelnames)
    told = {row[0].strip("`"): set(filter(None, row[1].split(", "))) for row in _rows("operating.md", "metric")}
    assert told == declared


def test_every_fault_is_named() -> None:
    _, _, section = (DOCS / "faults.md").read_text().partition("## The faults")
    told = _named(section.partition("\n\nWhile ")[0])
    assert {name for name in told if "/" not in name} == all_faults().keys()


def test_every_mutant_stands_in_the_table_with_what_reveals_and_what_catches_it() -> None:
    told = {tuple(cell.strip("`") for cell in (row[0], *row[2:])) for row in _rows("faults.md", "mutant")}
    assert told == {(one.name, one.scenario, one.caught_by) for one in MUTANTS.values()}


def test_every_common_module_has_its_place_in_the_architecture() -> None:
    told = (DOCS / "architecture.md").read_text()
    modules = {path.name for path in (CHECKOUT / "libs/common/src/common").glob("*.py")} - {"__init__.py"}
    assert {name for name in modules if not re.search(rf"\b{re.escape(name)}\b", told)} == set()


def test_every_decision_is_listed() -> None:
    records = {path.name for path in (DOCS / "decisions").glob("0*.md")}
    assert set(re.findall(r"\((0[^)]+\.md)\)", (DOCS / "decisions/README.md").read_text())) == records


def test_the_recipe_continues_after_the_last_migration() -> None:
    last = max(path.name[:4] for path in (CHECKOUT / "services/measures/src/measures/migrations/versions").glob("0*"))
    recipe = (DOCS / "adding-a-noun.md").read_text()
    assert re.findall(r'^down_revision = "(\d+)"', recipe, flags=re.MULTILINE) == [last]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    for place, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        target = document.parent / place if place else document
        assert target.exists(), f"{document.name}: {place}"
        if heading:
            assert heading in _anchors(target.read_text()), f"{document.name}: {place}#{heading}"


def _anchors(text: str) -> set[str]:
    """The names that headings have in links."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
