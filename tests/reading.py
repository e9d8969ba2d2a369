"""A page as a program reads it: its figures by the row they stand in, its elements, and whether it is well made."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from doors import Door

VOID = {"meta", "link", "input", "img"}


@dataclass
class Read(HTMLParser):
    """What a page shows: its figures by the row they stand in, and every element with its attributes."""

    text: str
    figures: dict[tuple[str, str], str | None] = field(default_factory=dict)
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, str | None]] = []
        self.feed(self.text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.elements.append((tag, told))
        if "data-figure" in told:
            row = next(name for _, name in reversed(self._open) if name)
            self.figures[row, str(told["data-figure"])] = told.get("data-value")
        if tag not in VOID:
            self._open.append((tag, told.get("id")))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of this kind."""
        return [told for name, told in self.elements if name == tag]


async def page(views: Door, **asked: str) -> Read:
    """The page as asked."""
    async with views.client() as reader:
        reply = await reader.get("/", params=asked)
    assert reply.status_code == 200, reply.text
    return Read(reply.text)
