"""What a query asks is checked by the types of an endpoint's parameters, as FastAPI checks it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Self, TypeAlias, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Request, params
from fastapi.dependencies.models import Dependant
from pydantic import TypeAdapter, ValidationError

from common.decision import Kind, Refusal
from common.problems import pointer_to

SINGLE: Final = (str, int, float, date, UUID, Enum)
"""What one word of a query may stand for; anything else is FastAPI's to read."""
Wrong: TypeAlias = list[Any]
"""What is wrong with a request, as pydantic tells it of a field."""
WORD_UNKNOWN = Refusal(
    "request.unknown-parameter",
    zh="没有查询参数 {name}；此处可用：{known}",
    en="There is no query parameter {name}; there are: {known}",
    kind=Kind.INVALID,
)
WORD_TWICE = Refusal(
    "request.parameter-twice",
    zh="查询参数 {name} 出现了两次",
    en="The query parameter {name} is given twice",
    kind=Kind.INVALID,
)


def words_of(dependant: Dependant) -> frozenset[str]:
    """The words that the query of an endpoint may give, with those that its dependencies take."""
    own = {field.alias for field in dependant.query_params}
    return frozenset(own.union(*map(words_of, dependant.dependencies)))


def require_known(request: Request) -> None:
    """Take no word that an endpoint does not know, and none twice: a filter that is mistyped is no filter.

    :raises Refused: ``request.unknown-parameter``, ``request.parameter-twice``.
    """
    known: frozenset[str] = request.scope["route"].words
    given = [name for name, _ in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)]
    for n, name in enumerate(given):
        pointer = pointer_to(("query", name))
        if name not in known:
            raise WORD_UNKNOWN(pointer=pointer, name=name[:40], known=", ".join(sorted(known)) or "–")
        if name in given[:n]:
            raise WORD_TWICE(pointer=pointer, name=name)


def asked(query: bytes) -> Mapping[str, str]:
    """The words of a query by their names."""
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def valid(adapter: TypeAdapter[Any], given: Any, where: tuple[str, ...], wrong: Wrong) -> Any:
    """What was given, as it is meant; None where it is wrong, which is put down with the place where it stood."""
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        wrong += [{**one, "loc": (*where, *one["loc"])} for one in error.errors()]
        return None


@dataclass(frozen=True, slots=True)
class Word:
    """One parameter that a query gives by its name."""

    name: str
    adapter: TypeAdapter[Any]
    default: Any
    """What stands for it where it is left out (``inspect.Parameter.empty``: it is required)."""

    @classmethod
    def of(cls, parameter: inspect.Parameter, hint: Any) -> Self | None:
        """The parameter with that hint; None where it is no single word of a query."""
        marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        foreign = (params.Depends, params.Body, params.Header, params.Cookie)
        if not _single(hint) or any(isinstance(mark, foreign) or getattr(mark, "alias", None) for mark in marks):
            return None
        return cls(parameter.name, TypeAdapter(hint), parameter.default)

    def read(self, words: Mapping[str, str], wrong: Wrong) -> Any:
        """What the query says of it."""
        where = ("query", self.name)
        if (given := words.get(self.name)) is not None:
            return valid(self.adapter, given, where, wrong)
        if self.default is inspect.Parameter.empty:
            wrong.append({"type": "missing", "loc": where, "msg": "Field required", "input": None})
        return self.default


@dataclass(frozen=True, slots=True)
class Together:
    """A parameter that is a dataclass of words, ``Annotated[ItemsAsked, Depends()]``."""

    kind: Callable[..., Any]
    words: tuple[Word, ...]

    @classmethod
    def of(cls, hint: Any) -> Self | None:
        """The parameter with that hint; None where it depends on anything else."""
        kind, *marks = get_args(hint) or (None,)
        itself = any(isinstance(mark, params.Depends) and mark.dependency is None for mark in marks)
        if not itself or not isinstance(kind, type) or not is_dataclass(kind):
            return None
        hints = get_type_hints(kind, include_extras=True)
        words = [Word.of(one, hints[name]) for name, one in inspect.signature(kind).parameters.items()]
        return cls(kind, tuple(word for word in words if word)) if all(words) else None

    def read(self, words: Mapping[str, str], wrong: Wrong) -> Any:
        """What the query says of all of them."""
        return self.kind(*(word.read(words, wrong) for word in self.words))


Asked: TypeAlias = Word | Together


def parameter_of(parameter: inspect.Parameter, hint: Any) -> Asked | None:
    """How an endpoint's parameter is read of a query; None where it is not."""
    return Word.of(parameter, hint) or Together.of(hint)


def _single(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _single(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return all(one is NoneType or _single(one) for one in get_args(hint))
    return isinstance(hint, type) and issubclass(hint, SINGLE)
