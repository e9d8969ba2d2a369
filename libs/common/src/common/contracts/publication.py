"""What is committed of the published language, and how it is made anew: ``python -m common.contracts.publication``.

Samples are written by hand, schemas are made from the contracts. A schema that would break its readers is not made.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

from pydantic import BaseModel

from common.contracts import CATALOGUE, Event
from common.contracts.envelope import Envelope
from common.contracts.schema import Schema, breaks, schema_of

ENVELOPE: Final = "envelope.v1"
"""Under which name the schema of the headers is published."""
HERE: Final = files("common.contracts")


def catalogue() -> Mapping[str, type[Event]]:
    """Every event type that any producer tells, by wire type, in the order of the producers' own modules."""
    for module in sorted(one.name for one in iter_modules([str(HERE)])):
        import_module(f"common.contracts.{module}")
    return CATALOGUE


def published() -> Iterator[tuple[str, type[BaseModel]]]:
    """The name and the model of all that has a schema: the event types, and the headers that they share."""
    yield ENVELOPE, Envelope
    yield from catalogue().items()


def sample(wire_type: str) -> Any:
    """An event of this type as its producer would tell it.

    :raises FileNotFoundError: there is none; ``samples/<wire type>.json`` is to be written by hand.
    """
    return json.loads(HERE.joinpath("samples", f"{wire_type}.json").read_bytes())


def committed(name: str) -> bytes:
    """The schema of this name as it is committed and served.

    :raises FileNotFoundError: there is none.
    """
    return HERE.joinpath("schemas", f"{name}.json").read_bytes()


def generated(name: str, model: type[BaseModel]) -> Schema:
    """The schema as the contract is now, with its sample as the example."""
    return schema_of(model, name, example=None if name == ENVELOPE else sample(name))


def text(document: Any) -> str:
    """A document as it is committed: indented, in its own order, with one line end."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def publish(folder: Path) -> list[str]:
    """Write every schema that is new or changed; what would break readers is left as it is and told, a line each."""
    told: list[str] = []
    for name, model in published():
        path, schema = folder / f"{name}.json", generated(name, model)
        broken = breaks(json.loads(path.read_bytes()), schema) if path.exists() else []
        told += [f"{name} {line}: this needs a new major" for line in broken]
        if not broken:
            path.write_text(text(schema), encoding="utf-8")
    return told


if __name__ == "__main__":
    sys.exit("\n".join(publish(Path(str(HERE.joinpath("schemas"))))) or None)
