"""What the running application has at hand for every door of measures."""

from fastapi import Request

from common.directory import Directory


def directory_of(request: Request) -> Directory:
    """This service's copy of the directory."""
    directory: Directory = request.app.state.directory
    return directory
