"""The application of talent: the programmes."""

from fastapi import FastAPI

from common.database import reachable
from common.http import create_app
from common.process import serve
from common.settings import Settings
from talent.programme.api import router as programmes


def app_of(settings: Settings) -> FastAPI:
    """The application, for a server to run; none of its rules asks in the name of which unit somebody acts."""
    return create_app(settings, service="talent", title="科改通 Kegai · talent", routers=[programmes])


async def run(settings: Settings) -> None:
    """Serve until told to stop; ready once the database answers."""
    app = app_of(settings)
    await serve(app, settings, checks={"database": lambda: reachable(app.state.pool)})
