"""The application of societies: the directory of association units."""

from fastapi import FastAPI

from common.database import reachable
from common.directory import Directory
from common.http import create_app
from common.process import serve
from common.settings import Settings
from societies.unit.api import router as units


def app_of(settings: Settings) -> FastAPI:
    """The application, for a server to run; a caller's unit is looked up in the directory itself."""
    return create_app(
        settings,
        service="societies",
        title="科改通 Kegai · societies",
        routers=[units],
        unit_of=lambda pool: Directory(pool, table="unit").find,
    )


async def run(settings: Settings) -> None:
    """Serve until told to stop; ready once the database answers."""
    app = app_of(settings)
    await serve(app, settings, checks={"database": lambda: reachable(app.state.pool)})
