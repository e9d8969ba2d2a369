"""Errors as people and programs can use them: RFC 9457, a stable code, the caller's language, never a stack trace."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from common.database import AWAY, DATABASE_AWAY, DATABASE_HELD
from common.decision import Kind, Refusal, Refused
from common.telemetry import log
from common.tracing import span_of

MALFORMED = Refusal(
    "request.malformed", zh="请求体不是有效的 JSON", en="The body is not valid JSON", kind=Kind.MALFORMED
)
NOT_JSON = Refusal(
    "request.not-json",
    zh="请求体须为 JSON 并如此标明，请加请求头：Content-Type: application/json",
    en="The body must be JSON and say so: send the header Content-Type: application/json",
    kind=Kind.UNSUPPORTED,
)
UNSTORABLE = Refusal(
    "request.unstorable-character",
    zh="内容含有无法保存的空字符（U+0000）",
    en="The text has a null character (U+0000), which cannot be kept",
    kind=Kind.INVALID,
)
INVALID = Refusal(
    "request.invalid",
    zh="请求内容有误，见 errors",
    en="The request is not as it should be: see errors",
    kind=Kind.INVALID,
)
NO_ROUTE = Refusal(
    "request.no-such-address", zh="此地址不存在", en="There is nothing at this address", kind=Kind.ABSENT
)
TOO_LARGE = Refusal("request.too-large", zh="请求体超过 1 MiB", en="The body is larger than 1 MiB", kind=Kind.TOO_LARGE)
FAULT = Refusal(
    "internal.fault",
    zh="系统内部错误，请凭编号 {instance} 联系运维人员",
    en="Something went wrong here; give the operators the number {instance}",
    kind=Kind.FAULT,
)
TITLES: Final = {
    400: ("请求无法识别", "Malformed request"),
    401: ("需要身份验证", "Authentication needed"),
    403: ("无权操作", "Not permitted"),
    404: ("未找到", "Not found"),
    405: ("不支持的方法", "Method not allowed"),
    409: ("与当前状态冲突", "Conflict with the present state"),
    412: ("版本已变化", "The version has changed"),
    413: ("请求体过大", "The body is too large"),
    415: ("不支持的内容类型", "Content of this type is not taken"),
    422: ("内容不符合要求", "The content is not acceptable"),
    500: ("内部错误", "Internal fault"),
    503: ("暂不可用", "Not available just now"),
}
RETRY_AFTER_SECONDS: Final = "2"
MEDIA_TYPE: Final = "application/problem+json"
LOCALES: Final = {"zh": "zh-CN", "en": "en"}
_WEIGHT: Final = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)", re.IGNORECASE | re.ASCII)


class Fault(BaseModel):
    """One thing that is wrong, and where."""

    pointer: str = Field(
        description="A JSON pointer into the body; of the query, the path and headers as `/query/limit`.",
        examples=["/due_on"],
    )
    detail: str
    code: str


class Problem(BaseModel):
    """RFC 9457, with a stable ``code`` to act on; ``title`` and ``detail`` are for people, in the caller's language."""

    type: str = Field(examples=["urn:cqast:problem:item.open-milestones"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="The request's correlation id")
    code: str = Field(examples=["item.open-milestones"])
    errors: list[Fault] = []


def language_of(accepted: str | None) -> str:
    """``zh`` or ``en``, whichever the Accept-Language header prefers; Chinese where it says neither.

    A weight of 0 says that a language is not wanted (RFC 9110, 12.4.2); one that is no weight comes last.
    """
    ranked: list[tuple[float, str]] = []
    for part in (accepted or "").split(","):
        tag, _, parameter = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _WEIGHT.fullmatch(parameter.strip()) if parameter.strip() else None
        preference = float(weight[1]) if weight else 0.0001 if parameter.strip() else 1.0
        if language in LOCALES and preference:
            ranked.append((-preference, language))
    return min(ranked, key=lambda one: one[0])[1] if ranked else "zh"


def problem(request: Request, refused: Refused, *, status: int | None = None, errors: Sequence[Fault] = ()) -> Response:
    """The reply that says why not."""
    language = language_of(request.headers.get("accept-language"))
    body = problem_of(refused, language, correlation_of(request), status=status, errors=errors)
    headers = {"Content-Language": LOCALES[language]}
    if body.status == 503:
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    if body.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(body.model_dump()), body.status, headers, media_type=MEDIA_TYPE)


def problem_of(
    refused: Refused, language: str, instance: str, *, status: int | None = None, errors: Sequence[Fault] = ()
) -> Problem:
    """What is said of a refusal in ``zh`` or ``en``."""
    status = status or int(refused.refusal.kind)
    detail = refused.say(language)
    if refused.pointer and not errors:
        errors = [Fault(pointer=refused.pointer, detail=detail, code=refused.refusal.code)]
    return Problem(
        type=f"urn:cqast:problem:{refused.refusal.code}",
        title=TITLES.get(status, (HTTPStatus(status).phrase,) * 2)[language == "en"],
        status=status,
        detail=detail,
        instance=instance,
        code=refused.refusal.code,
        errors=list(errors),
    )


def correlation_of(request: Request) -> str:
    """What ties together all that this request causes: the gateway's request id."""
    found: str = request.scope["state"]["correlation"]
    return found


def methods_at(request: Request) -> list[str]:
    """The methods that there are at an address, all of them (RFC 9110, 10.2.1); in order.

    Where an address is written out as it is (``/items/verify-batch``), what may stand there otherwise
    (``/items/{item_id}``) does not count.
    """
    routes: list[Any] = [route for route in request.app.routes if route.path_regex.match(request.scope["path"])]
    written_out = [route for route in routes if "{" not in route.path]
    return sorted({method for route in written_out or routes for method in route.methods or ()})


def about(scope: Scope) -> dict[str, str]:
    """What a line in the log says of the request that it belongs to."""
    return {"path": scope["path"], "correlation": scope["state"]["correlation"], "trace": span_of(scope).trace_id}


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem."""

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return problem(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if any(one["type"] == "json_invalid" for one in error.errors()):
            return problem(request, MALFORMED())
        if any(one["loc"] == ("body",) and isinstance(one["input"], bytes) for one in error.errors()):
            return problem(request, NOT_JSON())  # it was not read, for it does not say that it is JSON
        language = language_of(request.headers.get("accept-language"))
        return problem(request, INVALID(), errors=[fault_of(one, language) for one in error.errors()])

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if known := {400: MALFORMED, 404: NO_ROUTE, 413: TOO_LARGE}.get(error.status_code):
            return problem(request, known())
        text = TITLES.get(error.status_code, (str(error.detail),) * 2)
        refusal = Refusal(f"request.{HTTPStatus(error.status_code).name.lower().replace('_', '-')}", *text)
        response = problem(request, refusal(), status=error.status_code)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["Allow"] = ", ".join(methods_at(request))
        return response

    async def away(request: Request, error: Exception) -> Response:
        log.warning("database.away", error=repr(error), **about(request.scope))
        return problem(request, DATABASE_AWAY())

    for kind in AWAY:
        app.exception_handler(kind)(away)

    @app.exception_handler(asyncpg.LockNotAvailableError)
    async def held(request: Request, error: Exception) -> Response:
        log.warning("database.held", error=repr(error), **about(request.scope))
        return problem(request, DATABASE_HELD())

    async def unstorable(request: Request, _error: Exception) -> Response:
        return problem(request, UNSTORABLE())

    # PostgreSQL's own words for U+0000, the one character that JSON may carry and neither text nor JSONB can hold.
    app.exception_handler(asyncpg.CharacterNotInRepertoireError)(unstorable)
    app.exception_handler(asyncpg.UntranslatableCharacterError)(unstorable)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        log.error("request.fault", exc_info=error, **about(request.scope))
        request.scope["state"]["told"] = error
        return problem(request, FAULT(instance=correlation_of(request)))


WRONG: Final = {
    "missing": ("此项必填", None),
    "extra_forbidden": ("没有这一项", "There is no such field"),
    "string_too_short": ("至少 {min_length} 个字符", None),
    "string_too_long": ("至多 {max_length} 个字符", None),
    "too_short": ("至少 {min_length} 个", None),
    "too_long": ("至多 {max_length} 个", None),
    "greater_than_equal": ("应不小于 {ge}", None),
    "less_than_equal": ("应不大于 {le}", None),
    "enum": ("应为：{expected}", None),
    "literal_error": ("应为：{expected}", None),
    "date_parsing": ("应为日期，如 2022-06-30", "Should be a date, such as 2022-06-30"),
    "uuid_parsing": ("应为 UUID", None),
    "string_type": ("应为文本", None),
    "int_parsing": ("应为整数", None),
    "int_type": ("应为整数", None),
    "bool_parsing": ("应为 true 或 false", None),
    "bool_type": ("应为 true 或 false", None),
    "day_out_of_range": ("应为 1900-01-01 至 2199-12-31 之间的日期", None),
    "datetime_parsing": ("应为带时区的时刻，如 2022-06-30T08:00:00+08:00", None),
    "datetime_from_date_parsing": ("应为带时区的时刻，如 2022-06-30T08:00:00+08:00", None),
    "timezone_aware": ("时刻须带时区，如 2022-06-30T08:00:00+08:00", None),
    "model_type": ("应为 JSON 对象", "Should be a JSON object"),
    "model_attributes_type": ("应为 JSON 对象", "Should be a JSON object"),
    "dict_type": ("应为 JSON 对象", "Should be a JSON object"),
    "list_type": ("应为 JSON 数组", "Should be a JSON array"),
    "tuple_type": ("应为 JSON 数组", "Should be a JSON array"),
    "greater_than": ("应大于 {gt}", None),
    "less_than": ("应小于 {lt}", None),
    "finite_number": ("应为有限的数", None),
    "decimal_max_places": ("小数至多 {decimal_places} 位", None),
    "decimal_max_digits": ("至多 {max_digits} 位数字", None),
    "decimal_whole_digits": ("小数点前至多 {whole_digits} 位", None),
    "decimal_type": ("应为十进制数", None),
    "decimal_parsing": ("应为十进制数", None),
    "control_character": ("含有看不见且可能改变阅读顺序或含义的字符（{character}）", None),
    "invisible_text": ("没有可见的字符", None),
}
"""What is wrong with a field, in both languages; the validator's own English where that says it well."""
FORMS: Final = {
    r"^[A-Z0-9][A-Z0-9-]{0,39}$": (
        "应为代码：大写字母、数字和连字符，以字母或数字开头，至多 40 个字符，如 B2-03",
        "Should be a code: capital letters, digits and hyphens, a letter or digit first, 40 at most, such as B2-03",
    ),
    r"^[0-9a-f]{64}$": (
        "应为 SHA-256：64 个十六进制字符，字母小写，如 9f86d081…0f00a08",
        "Should be a SHA-256: 64 hexadecimal digits in lower case, such as 9f86d081…0f00a08",
    ),
    r"^50[0-9]{4}$": (
        "应为重庆市的行政区划代码（GB/T 2260）：50 开头的六位数字，如 500112",
        "Should be a division code of Chongqing (GB/T 2260): six digits that begin with 50, such as 500112",
    ),
}
"""What each form of a text is in words, with an example: nobody is to read a regular expression."""


def fault_of(error: dict[str, Any], language: str) -> Fault:
    """What a validator found wrong with a field, in ``zh`` or ``en``."""
    facts = error.get("ctx", {})
    zh, en = WRONG.get(error["type"], ("此项的值不符合要求", None))
    if error["type"] == "string_pattern_mismatch":
        zh, en = FORMS.get(facts["pattern"], ("格式不符", "This is not of the form that it should have"))
    if "expected" in facts:
        facts = facts | {"expected": str(facts["expected"]).replace(" or ", " 或 ").replace(", ", "、")}
    said = zh.format(**facts) if language == "zh" else en or str(error["msg"])
    return Fault(pointer=pointer_to(error["loc"]), detail=said, code=str(error["type"]))


def pointer_to(where: Sequence[str | int]) -> str:
    """Where a validator found it: a JSON pointer (RFC 6901) into the body; of what is not the body ``/query/limit``."""
    parts = where[1:] if where and where[0] == "body" else where
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
