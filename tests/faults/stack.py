"""The real stack under faults: measures and events, each process a victim, with databases and topics of this run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from builders import directory_history, item_body, plan_body
from common.contracts import topic
from common.directory import DirectoryCopy
from events.tables import PROJECTION
from eventually import eventually
from faults.history import HarnessError
from faults.programs import Program
from faults.proxy import Proxy
from faults.servers import Database, FaultServers, free_ports
from kegai.local.process import Process
from kegai.tokens import AUDIENCE, ISSUER, Keys

TOPIC = topic("measures")
PLAN = "PLAN-1"
MEASURES = ("A1", "A2", "B1")
"""The measures of the plan; items are spread over them, and a measure's items over partitions: roll-ups contend."""
OFFICE, REPORTER, JUDGE = ("reform-office", "CQ"), ("unit-reporter", "ORG"), ("reform-office", "SOC")
"""Who gives which commands: the office plans, the owner reports, a unit that took no part judges."""


@dataclass(frozen=True)
class Setup:
    """How many of what are started, and what is done to them before."""

    apis: int = 2
    workers: int = 1
    projectors: int = 1
    items: int = 12
    mutant: str | None = None
    """A mutant that every process is started with."""
    failpoints: Mapping[str, str] = field(default_factory=dict)
    """From a process's name (``measures-worker-1``) to the failpoint of its first life."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What all processes are told beside the rest: ``KEGAI_POOL_MAX``."""
    prepare: Callable[["FaultStack"], Awaitable[None]] | None = None
    """Called when servers, databases and topics are there and no process is: it may change ``addresses``."""


@dataclass(frozen=True)
class ItemUnderTest:
    """An item in progress that clients share."""

    id: UUID
    code: str
    measure: str


@dataclass
class FaultStack:
    """What runs, where it is, and how it is stopped."""

    servers: FaultServers
    databases: dict[str, Database]
    setup: Setup
    addresses: dict[str, str] = field(default_factory=dict)
    """The database's address as the processes of a service are told it; a proxy may stand between."""
    bootstrap: str = ""
    """Kafka's address as the processes are told it."""
    programs: dict[str, Program] = field(default_factory=dict)
    items: list[ItemUnderTest] = field(default_factory=list)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    """By service: what stands between its processes and their database."""
    moved_back: bool = False
    """Whether a fault has set the projection's offsets back, as a rebuild does: positions told to readers go back."""
    refilled: bool = False
    """Whether a topic was wiped and what it had lost was published again, behind what came meanwhile."""

    def __post_init__(self) -> None:
        self.addresses = {service: database.app_url for service, database in self.databases.items()}
        self.bootstrap = self.servers.kafka.bootstrap

    @property
    def keys(self) -> Keys:
        """What tokens are signed with."""
        return self.servers.keys

    def all(self, service: str, role: str) -> list[Program]:
        """The processes of one kind, in the order in which they were started."""
        return [one for one in self.programs.values() if (one.service, one.role) == (service, role)]

    def the(self, service: str, role: str) -> Program:
        """The first process of one kind."""
        return self.all(service, role)[0]

    def client(self, url: str, who: tuple[str, str]) -> httpx.AsyncClient:
        """A client before one process, in the name of a role and a unit."""
        headers = {"authorization": f"Bearer {self.keys.token_for(*who)}"}
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=10, trust_env=False)

    async def connect(self, service: str) -> asyncpg.Connection:
        """The superuser's connection to a service's database, past every proxy; the caller closes it."""
        return await asyncpg.connect(self.databases[service].admin_url, timeout=10)

    async def ask(self, service: str, sql: str, *about: object) -> Any:
        """The first value that a service's database answers, past every proxy."""
        connection = await self.connect(service)
        try:
            return await connection.fetchval(sql, *about)
        finally:
            await connection.close()

    async def put_proxies(self) -> None:
        """Put a proxy before the database of each service, for a setup to ``prepare``."""
        for service, address in self.addresses.items():
            self.proxies[service] = await Proxy.before(address).start()
            self.addresses[service] = self.proxies[service].through(address)

    def start_another(self, service: str, role: str, failpoint: str | None = None) -> Program:
        """Start one more process of a kind."""
        name = f"{service}-{role}-{len(self.all(service, role)) + 1}"
        program = Program(
            process=Process(name, self.servers.home),
            service=service,
            role=role,
            port=free_ports(2),
            environment={
                "KEGAI_DATABASE_URL": self.addresses[service],
                "KEGAI_KAFKA_BOOTSTRAP": self.bootstrap,
                "KEGAI_JWKS": str(self.keys.jwks),
                "KEGAI_TOKEN_ISSUER": ISSUER,
                "KEGAI_TOKEN_AUDIENCE": AUDIENCE,
                **self.setup.environment,
            },
            mutant=self.setup.mutant,
        )
        self.programs[name] = program
        program.start(failpoint or self.setup.failpoints.get(name))
        return program

    async def come_up(self) -> None:
        """Start what the setup asks for and put a plan with items in progress into it.

        :raises HarnessError: a process was not ready in time, or a command of the preparation was refused.
        """
        await self._know_the_units()
        if self.setup.prepare:
            await self.setup.prepare(self)
        wanted = (
            ("measures", "worker", self.setup.workers),
            ("events", "projector", self.setup.projectors),
            ("measures", "api", self.setup.apis),
            ("events", "api", 1),
        )
        for service, role, many in wanted:
            for _ in range(many):
                self.start_another(service, role)
        await asyncio.gather(*(program.ready() for program in self.programs.values()))
        await self._put_items_in_progress()

    async def stop(self) -> None:
        """End every process as an operator does."""
        await asyncio.gather(*(program.stop() for program in self.programs.values()))
        await asyncio.gather(*(proxy.stop() for proxy in self.proxies.values()))

    async def _know_the_units(self) -> None:
        """Fill the directory's copy as its projection would."""
        connection = await asyncpg.connect(self.databases["measures"].app_url)
        try:
            await DirectoryCopy("faults").apply(connection, directory_history())
        finally:
            await connection.close()

    async def _put_items_in_progress(self) -> None:
        url = self.the("measures", "api").url
        async with self.client(url, OFFICE) as office, self.client(url, REPORTER) as owner:
            plan = await _done(office, "/api/v1/plans", plan_body())
            issued = {"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-02-01"}
            await _done(office, f"/api/v1/plans/{plan}/adopt", issued)
            await _done(office, f"/api/v1/plans/{plan}/phases/P0/enter", {"effective_on": "2021-03-01"})
            for number in range(self.setup.items):
                self.items.append(await _in_progress(office, owner, number))

    async def do(self, path: str, body: Mapping[str, object], *, door: int = 0) -> UUID:
        """One command in the office's name, by one of the doors: the id of the aggregate.

        :raises HarnessError: it was refused.
        """
        async with self.client(self.all("measures", "api")[door].url, OFFICE) as office:
            return UUID(await _done(office, path, body))

    async def shows(self, aggregate: UUID, version: int) -> None:
        """Return when the views contain this version."""

        async def shown() -> bool:
            return (await self.view()).get(aggregate, 0) >= version

        await eventually(shown)

    async def view(self) -> dict[UUID, int]:
        """How far the views are: each aggregate's version in the projection of events."""
        connection = await self.connect("events")
        try:
            sql = "SELECT aggregate_id, version FROM projection_version WHERE projection = $1"
            return {row["aggregate_id"]: row["version"] for row in await connection.fetch(sql, PROJECTION)}
        finally:
            await connection.close()


async def _in_progress(office: httpx.AsyncClient, owner: httpx.AsyncClient, number: int) -> ItemUnderTest:
    measure = MEASURES[number % len(MEASURES)]
    code = f"{measure}-{number:03}"
    item = await _done(office, "/api/v1/items", item_body(code=code, measure=measure))
    await _done(office, f"/api/v1/items/{item}/assign", {})
    await _done(owner, f"/api/v1/items/{item}/acknowledge", {})
    await _done(owner, f"/api/v1/items/{item}/start", {})
    return ItemUnderTest(UUID(item), code, measure)


async def _done(client: httpx.AsyncClient, path: str, body: Mapping[str, object]) -> str:
    reply = await client.post(path, json=body)
    if not reply.is_success:
        raise HarnessError(f"the preparation was refused: POST {path}: {reply.status_code} {reply.text}")
    return str(reply.json()["id"])


@asynccontextmanager
async def fault_stack(servers: FaultServers, setup: Setup) -> AsyncIterator[FaultStack]:
    """A stack for one run.

    :raises HarnessError: it does not come up.
    """
    stack = FaultStack(servers, await servers.renew(), setup)
    try:
        await stack.come_up()
        yield stack
    finally:
        await stack.stop()
