"""The application of measures: plans, items and their evidence, and the copy of the directory that its rules ask."""

import asyncpg
from fastapi import FastAPI

from common.admission import Transfers
from common.database import reachable
from common.desk import UnitOf
from common.directory import Directory, copy_of, directory_complete
from common.files import Files
from common.http import create_app
from common.process import serve
from common.settings import Settings
from measures.assurance.api import router as assurances
from measures.continuation.api import router as continuations
from measures.evidence.api import files
from measures.evidence.api import router as evidence
from measures.inbox.api import router as inbox
from measures.item.api import router as items
from measures.item.batch_api import router as item_batches
from measures.item.course_api import router as item_courses
from measures.item_sheet.api import SHEETS_MAX
from measures.item_sheet.api import router as item_sheets
from measures.local_plan.api import router as local_plans
from measures.measure.api import router as measures_
from measures.plan.api import router as plans
from measures.risk.api import router as risks


def app_of(settings: Settings) -> FastAPI:
    """The application, for a server to run."""

    def unit_of(pool: asyncpg.Pool) -> UnitOf:
        app.state.directory = directory = Directory(pool)
        return directory.find

    app = create_app(
        settings,
        service="measures",
        title="科改通 Kegai · measures",
        routers=[
            plans,
            measures_,
            local_plans,
            item_sheets,
            continuations,
            items,
            item_courses,
            item_batches,
            evidence,
            files,
            assurances,
            risks,
            inbox,
        ],
        unit_of=unit_of,
    )
    app.state.sheets = Transfers(SHEETS_MAX)
    app.state.files = Files(settings.files) if settings.files else None
    app.state.file_bytes_max = settings.file_bytes_max
    return app


async def run(settings: Settings) -> None:
    """Serve until told to stop; ready once the database answers and the directory is complete."""
    app = app_of(settings)
    await serve(
        app,
        settings,
        checks={
            "database": lambda: reachable(app.state.pool),
            "directory": lambda: directory_complete(app.state.pool, copy_of("measures")),
        },
    )
