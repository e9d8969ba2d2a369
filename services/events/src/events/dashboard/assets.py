"""The page's own files: loaded once, named with a hash of their bytes, kept by browsers for as long as they like."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from common.decision import Kind, Refusal

ROOT: Final = "/static/dashboard"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
NO_ASSET = Refusal("asset.not-found", zh="没有这个文件", en="There is no such file", kind=Kind.ABSENT)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page."""

    content: bytes
    media_type: str
    version: str
    """Changes with the content."""


def _load() -> dict[str, Asset]:
    found = {}
    for file in files("events.dashboard").joinpath("static").iterdir():
        suffix = file.name[file.name.rfind(".") :]
        content = file.read_bytes()
        found[file.name] = Asset(content, TYPES[suffix], hashlib.sha256(content).hexdigest()[:12])
    return found


ASSETS: Final = _load()


def address(name: str) -> str:
    """Where a file is to be had, in this very version."""
    return f"{ROOT}/{name}?v={ASSETS[name].version}"


def asset(name: str) -> Asset:
    """A file by its name.

    :raises Refused: ``asset.not-found``.
    """
    if name not in ASSETS:
        raise NO_ASSET()
    return ASSETS[name]
