"""The JSON Schema of what is published, and what may change of one within its major version: fields may be added.

Old readers meet new data and new readers meet old data, for as long as the topics keep them, which is for ever. So no
field is removed, renamed, retyped, or becomes required or optional, and a new one is optional.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
REMARKS: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
"""Keywords that promise nothing to a program; ``$defs`` is followed where it is referred to."""
PROMISES: Final = frozenset(
    {"$ref", "type", "properties", "required", "items", "anyOf", "enum", "const", "format", "pattern", "default",
     "minLength", "maxLength", "minimum", "maximum"}
)  # fmt: skip
"""Keywords that a schema of ours may use to promise something; all of them leave unknown fields alone."""


class _Terse(GenerateJsonSchema):
    """Leaves out what says nothing: titles that repeat a field's name, and null as what an absent field means."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        """Never: a field's name is its name."""
        return False

    def default_schema(self, schema: Any) -> Schema:
        """A default is told unless it is null."""
        found = super().default_schema(schema)
        return {name: value for name, value in found.items() if (name, value) != ("default", None)}


def schema_of(model: type[BaseModel], name: str, *, example: Any = None) -> Schema:
    """The JSON Schema (2020-12) of what ``model`` writes, as it is published under ``name``.

    ``$id`` is a URN: it names the schema wherever it is served from, and references inside it are its own.
    """
    generated = model.model_json_schema(mode="serialization", schema_generator=_Terse)
    head = {"$schema": DIALECT, "$id": f"urn:cqast:schema:{name}", "title": generated.pop("title")}
    described = {"description": " ".join(generated.pop("description").split())}
    return head | described | generated | ({} if example is None else {"examples": [example]})


def resolved(schema: Schema) -> Schema:
    """The same schema with every reference replaced by what it refers to; what stands beside a reference wins."""
    return {name: part for name, part in _resolve(schema, schema.get("$defs", {})).items() if name != "$defs"}


def _resolve(part: Any, definitions: Mapping[str, Schema]) -> Any:
    if isinstance(part, list):
        return [_resolve(one, definitions) for one in part]
    if not isinstance(part, dict):
        return part
    own = {name: _resolve(value, definitions) for name, value in part.items() if name not in {"$ref", "$defs"}}
    if "$ref" not in part:
        return own
    return _resolve(definitions[part["$ref"].removeprefix("#/$defs/")], definitions) | own


def breaks(old: Schema, new: Schema) -> list[str]:
    """What in ``new`` breaks the promises of ``old``, a sentence each; empty where fields were only added."""
    return [*_breaks(resolved(old), resolved(new), "")]


def _breaks(old: Schema, new: Schema, at: str) -> Iterator[str]:
    where = at or "the event"
    for keyword in sorted((old.keys() | new.keys()) - REMARKS - {"properties", "items", "anyOf"}):
        if keyword not in PROMISES:
            yield f"{where}: {keyword} is no keyword that our schemas use"
        elif _plain(old.get(keyword)) != _plain(new.get(keyword)):
            yield f"{where}: {keyword} was {old.get(keyword)}, is {new.get(keyword)}"
    before, now = old.get("properties", {}), new.get("properties", {})
    yield from (f"{at}/{name}: was removed" for name in before if name not in now)
    for name in before.keys() & now.keys():
        yield from _breaks(before[name], now[name], f"{at}/{name}")
    for name in now.keys() - before.keys():
        yield from _breaks(now[name], now[name], f"{at}/{name}")
    yield from _breaks_within(old, new, at)


def _breaks_within(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """What breaks within a list's items and within alternatives."""
    if "items" in old and "items" in new:
        yield from _breaks(old["items"], new["items"], f"{at}/*")
    elif "items" in old or "items" in new:
        yield f"{at or 'the event'}: items were added or removed"
    ways, ways_now = old.get("anyOf", []), new.get("anyOf", [])
    if len(ways) != len(ways_now):
        yield f"{at or 'the event'}: had {len(ways)} alternatives, has {len(ways_now)}"
    for way, way_now in zip(ways, ways_now, strict=False):
        yield from _breaks(way, way_now, at)


def _plain(value: Any) -> Any:
    """Whether a list is a promise or not, its order is none."""
    return sorted(map(str, value)) if isinstance(value, list) else value
