"""FastAPI and SQLModel as their documentation writes it: the same work, by dependencies, models and a session."""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
import uvloop
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Given
from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from common.process import serve
from common.settings import Settings

KEY_SET = jwt.PyJWKSet.from_json(Path(os.environ["KEGAI_JWKS"]).read_text())
INSTANT = DateTime(timezone=True)
VERSION = Column("version", BigInteger, nullable=False)


class Item(SQLModel, table=True):
    """The columns of an item that its commands read or write."""

    __mapper_args__ = {"version_id_col": VERSION}

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_column=VERSION)
    hash: bytes = Field(sa_type=LargeBinary)
    recorded_at: datetime = Field(sa_type=INSTANT)
    owner: UUID
    state: str
    since: date
    milestones: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))


class Event(SQLModel, table=True):
    """What happened."""

    position: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    event_id: UUID = Field(default_factory=uuid4)
    aggregate_type: str = "item"
    aggregate_id: UUID
    aggregate_version: int = Field(sa_type=BigInteger)
    type: str
    payload: bytes = Field(sa_type=LargeBinary)
    headers: dict[str, Any] = Field(sa_type=JSON)
    effective_on: date
    recorded_at: datetime = Field(sa_type=INSTANT)
    actor: str
    correlation: str | None = None
    prev_hash: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class Outbox(SQLModel, table=True):
    """What is still to be published."""

    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    slice: int = Field(default=0, sa_type=SmallInteger)


class Idempotency(SQLModel, table=True):
    """The reply that a key got."""

    key: str = Field(primary_key=True)
    principal: str = Field(primary_key=True)
    route: str = Field(primary_key=True)
    body_hash: bytes = Field(sa_type=LargeBinary)
    status: int = Field(sa_type=SmallInteger)
    headers: dict[str, Any] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=INSTANT)


class Command(BaseModel):
    """The body of a command."""

    model_config = ConfigDict(extra="forbid")

    effective_on: date


class Plan(Command):
    """A further milestone."""

    number: int = Given(ge=1, le=99)
    title_zh: str = Given(min_length=1, max_length=200)
    title_en: str = Given(min_length=1, max_length=200)
    planned_on: date


class Report(Command):
    """On which day it was attained."""

    attained_on: date


class Decided(BaseModel):
    """The reply."""

    id: UUID
    version: int
    position: str
    state: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """As long as the application runs it has its engine."""
    url = os.environ["KEGAI_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_size=10, max_overflow=0)
    app.state.sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session_of(request: Request) -> AsyncIterator[AsyncSession]:
    """One session for each request."""
    async with request.app.state.sessions() as session:
        yield session


async def principal_of(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict[str, Any]:
    """The claims of the caller's token."""
    token = credentials.credentials
    try:
        key = KEY_SET[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], issuer="urn:kegai:dev", audience="kegai")
    except (jwt.PyJWTError, KeyError) as error:
        raise HTTPException(401) from error
    return claims


class Asked:
    """What every command needs: session, caller, key and version."""

    def __init__(
        self,
        request: Request,
        response: Response,
        session: Annotated[AsyncSession, Depends(session_of)],
        principal: Annotated[dict[str, Any], Depends(principal_of)],
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
        if_match: Annotated[str | None, Header(max_length=40)] = None,
    ) -> None:
        self.response = response
        self.session = session
        self.principal = principal
        self.key = (idempotency_key or str(uuid4()), str(principal["sub"]), f"{request.method} {request.url.path}")
        self.if_match = if_match

    async def load(self, item_id: UUID, role: str) -> Item:
        """The item, if the caller may change it and it has the version that the caller has seen."""
        if role not in self.principal["roles"]:
            raise HTTPException(403)
        if await self.session.get(Idempotency, self.key):
            raise HTTPException(409)
        item = await self.session.get(Item, item_id)
        if item is None:
            raise HTTPException(404)
        if self.if_match and self.if_match != f'"{item.version}"':
            raise HTTPException(412)
        return item

    async def save(self, item: Item, command: str, body: Command, milestones: list[dict[str, Any]]) -> Decided:
        """Change the item, write down what happened, queue it and keep the reply: one transaction."""
        now, payload, before = datetime.now(UTC), body.model_dump_json().encode(), item.hash
        version = item.version + 1
        decided = Decided(id=item.id, version=version, position=f"{item.id}@{version}", state=item.state)
        item.milestones, item.recorded_at = milestones, now
        item.hash = hashlib.sha256(before + payload).digest()
        event = Event(
            aggregate_id=item.id,
            aggregate_version=version,
            type=command,
            payload=payload,
            headers={"ce_type": command, "ce_subject": str(item.id), "ce_actor": self.principal["sub"]},
            effective_on=body.effective_on,
            recorded_at=now,
            actor=self.principal["sub"],
            prev_hash=before,
            hash=item.hash,
        )
        self.session.add(item)
        self.session.add(event)
        await self.session.flush()
        assert event.position is not None
        key, principal, route = self.key
        self.session.add(Outbox(position=event.position))
        self.session.add(
            Idempotency(
                key=key,
                principal=principal,
                route=route,
                body_hash=hashlib.sha256(payload).digest(),
                status=200,
                headers={"ETag": f'"{version}"'},
                body=decided.model_dump_json().encode(),
                expires_at=now + timedelta(days=1),
            )
        )
        await self.session.commit()
        self.response.headers["ETag"] = f'"{version}"'
        return decided


def stepped(item: Item, number: int, before: str, **after: Any) -> list[dict[str, Any]]:
    """The milestones after a step of one of them."""
    found = next((one for one in item.milestones if one["number"] == number), None)
    if found is None:
        raise HTTPException(404)
    if found["state"] != before:
        raise HTTPException(409)
    return [one | after if one is found else one for one in item.milestones]


@app.post("/api/v1/items/{item_id}/milestones")
async def plan(item_id: UUID, body: Plan, asked: Annotated[Asked, Depends()]) -> Decided:
    """Put a further milestone into the item."""
    item = await asked.load(item_id, "reform-office")
    if any(one["number"] == body.number for one in item.milestones):
        raise HTTPException(409)
    added = body.model_dump(mode="json", exclude={"effective_on"}) | {"state": "planned"}
    return await asked.save(item, "plan", body, [*item.milestones, added])


@app.post("/api/v1/items/{item_id}/milestones/{number}/report")
async def report(item_id: UUID, number: int, body: Report, asked: Annotated[Asked, Depends()]) -> Decided:
    """The owner says on which day the milestone was attained."""
    item = await asked.load(item_id, "unit-reporter")
    told = stepped(item, number, "planned", state="reported", attained_on=body.attained_on.isoformat())
    return await asked.save(item, "report", body, told)


@app.post("/api/v1/items/{item_id}/milestones/{number}/verify")
async def verify(item_id: UUID, number: int, body: Command, asked: Annotated[Asked, Depends()]) -> Decided:
    """A reported milestone counts."""
    item = await asked.load(item_id, "reform-office")
    return await asked.save(item, "verify", body, stepped(item, number, "reported", state="verified"))


if __name__ == "__main__":
    uvloop.run(serve(app, Settings(), checks={}))
