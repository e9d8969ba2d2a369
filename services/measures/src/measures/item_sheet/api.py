"""The door to sheets of items: one is taken in as it is, or tried; what is listed is given out as one."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from common.admission import Transfers
from common.call import Call
from common.clock import business_date
from common.contracts import Code
from common.door import Door, needs
from common.problems import language_of
from measures.evidence.file import MEBIBYTE, let_pass
from measures.item.asked import ItemsAsked
from measures.item_sheet.commands import import_items
from measures.item_sheet.export import Form, export
from measures.item_sheet.report import Report
from measures.item_sheet.rules import SHEET_BYTES_MAX, TOO_LARGE
from measures.running import directory_of

SHEETS_MAX: Final = 2
"""Sheets that a process takes in at once: each may become some 100 MiB while it is read."""
TOKEN_CHARACTERS_MAX: Final = 32_000
"""What the token of the largest sheet may need, and a gateway lets pass in a header."""
BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
WRITTEN_AS: Final = {Form.CSV: "text/csv; charset=utf-8", Form.JSON: "application/json"}
KINDS: Final = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv")

router = APIRouter(prefix="/api/v1/items", tags=["items"], route_class=Door)


@router.post(
    "/import",
    response_model=Report,
    name="import_items",
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(KINDS, BINARY)}},
)
async def import_(
    call: Annotated[Call, needs("item.import", streamed=True)],
    request: Request,
    plan: Code,
    dry_run: Annotated[bool, Query(description="Say what would be done, and do nothing")] = True,
    dry_run_token: Annotated[
        str | None, Header(max_length=TOKEN_CHARACTERS_MAX, description="Of the dry run that was looked at")
    ] = None,
) -> Report:
    """Take in a sheet of items, XLSX or CSV, told by its bytes: a verdict for each item, each decided for itself.

    The same sheet sent again changes nothing, so it needs no key.
    """
    sheets: Transfers = request.app.state.sheets
    with sheets.one(request):
        return await import_items(
            call,
            directory_of(request),
            await _body(request),
            plan=plan,
            dry_run=dry_run,
            token=dry_run_token,
            language=language_of(request.headers.get("accept-language")),
        )


async def _body(request: Request) -> bytes:
    """The sheet, whole: its directory stands at its end.

    :raises Refused: ``sheet.too-large``.
    """
    stream, content = request.stream(), bytearray()
    async for chunk in stream:
        content += chunk
        if len(content) > SHEET_BYTES_MAX:
            await let_pass(stream, SHEET_BYTES_MAX)
            raise TOO_LARGE(most=SHEET_BYTES_MAX // MEBIBYTE)
    return bytes(content)


@router.get(
    "/export",
    name="export_items",
    response_class=Response,
    responses={200: {"description": "The items", "content": {"text/csv": BINARY, "application/json": {}}}},
)
async def export_(
    call: Annotated[Call, needs("item.export")],
    request: Request,
    asked: Annotated[ItemsAsked, Depends()],
    form: Annotated[Form, Query(alias="format")] = Form.CSV,
) -> Response:
    """All items that the list would show with these filters, by code, as a sheet that can be taken in again."""
    directory = directory_of(request)
    wanted = await asked.wanted(call, directory)
    name = f"items-{wanted.plan}-{business_date(call.now)}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    transfers: Transfers = request.app.state.transfers
    written = await export(call, directory, wanted, form)
    return transfers.given_out(request, written, headers=headers, media_type=WRITTEN_AS[form])
