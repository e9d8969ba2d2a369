"""Where everything of one local stack is: its folder, its ports, its addresses; and which programs belong to it."""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from kegai.gateway import Places, envoy_yaml, load
from kegai.gateway.routes import CHECKOUT
from kegai.language import StackError
from kegai.local.ports import LOOPBACK
from kegai.local.postgres import PostgresServer
from kegai.local.process import Process
from kegai.tokens import AUDIENCE, ISSUER, Keys

PORT_SETTINGS = {
    "gateway_port": "KEGAI_GATEWAY_PORT",
    "kafka_port": "KEGAI_KAFKA_PORT",
    "postgres_port": "KEGAI_POSTGRES_PORT",
    "port_base": "KEGAI_PORT_BASE",
}


@dataclass(frozen=True)
class Program:
    """A process of a service: `python -m <service> <role>`. Its ports are counted from the stack's base."""

    service: str
    role: str
    number: int

    @property
    def name(self) -> str:
        """What it is called in records, logs and status."""
        return f"{self.service}-{self.role}"


PROGRAMS = (
    Program("measures", "api", 10),
    Program("measures", "worker", 12),
    Program("societies", "api", 20),
    Program("societies", "worker", 22),
    Program("talent", "api", 30),
    Program("talent", "worker", 32),
    Program("events", "api", 40),
    Program("events", "projector", 42),
)
SERVICES = tuple(dict.fromkeys(program.service for program in PROGRAMS))


@dataclass(frozen=True)
class Stack:
    """One local stack. A server whose address is given is used as it is and neither started nor stopped."""

    home: Path
    gateway_port: int = 8080
    kafka_port: int = 9092
    postgres_port: int = 15432
    port_base: int = 18000
    postgres_url: str | None = None
    kafka_bootstrap_given: str | None = None
    files_given: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The stack that `kegai up` is asked for.

        Raises:
            StackError: a port is no number.
        """
        ports = {field: _port(environ, name) for field, name in PORT_SETTINGS.items() if environ.get(name)}
        return cls(
            home=Path(environ.get("KEGAI_HOME") or CHECKOUT / ".kegai").absolute(),
            postgres_url=environ.get("KEGAI_POSTGRES_URL") or None,
            kafka_bootstrap_given=environ.get("KEGAI_KAFKA_BOOTSTRAP") or None,
            files_given=environ.get("KEGAI_FILES") or None,
            **ports,
        )

    @classmethod
    def running(cls) -> Self:
        """The stack as `kegai up` started it last, whatever the environment says of ports now."""
        asked = cls.from_environment()
        with suppress(FileNotFoundError, ValueError, TypeError):
            return cls(**{**json.loads(asked._settings.read_text()), "home": asked.home})
        return asked

    def remember(self) -> None:
        """Keep these settings for the commands that come after `up`; only their owner reads them."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._settings.touch(mode=0o600)
        self._settings.write_text(json.dumps(dataclasses.asdict(self), default=str, indent=1))

    @property
    def _settings(self) -> Path:
        return self.home / "stack.json"

    @property
    def url(self) -> str:
        """The one origin of everything, as a browser sees it."""
        return f"http://localhost:{self.gateway_port}"

    @property
    def keys(self) -> Keys:
        """The development keys."""
        return Keys(self.home / "keys")

    @property
    def postgres(self) -> PostgresServer:
        """The stack's own PostgreSQL, which runs only if none is given."""
        return PostgresServer(self.home, self.postgres_port)

    @property
    def kafka_bootstrap(self) -> str:
        """The address of Kafka, given or the stack's own."""
        return self.kafka_bootstrap_given or f"{LOOPBACK}:{self.kafka_port}"

    @property
    def files(self) -> str:
        """Where the files of evidence are: as given, else a folder that the service makes in the stack's."""
        return self.files_given or (self.home / "files").as_uri()

    @property
    def controller_port(self) -> int:
        """The port of Kafka's controller."""
        return self.port_base

    @property
    def envoy_admin_port(self) -> int:
        """The port of Envoy's own pages."""
        return self.port_base + 1

    def api_port(self, program: Program) -> int:
        """The port to which the gateway sends what is meant for this program."""
        return self.port_base + program.number

    def ops_port(self, program: Program) -> int:
        """The port of /livez, /readyz and /metrics."""
        return self.port_base + program.number + 1

    def ports(self) -> Iterator[tuple[int, str]]:
        """Every port that `up` needs for itself, each with the name of the setting that moves it."""
        yield self.gateway_port, PORT_SETTINGS["gateway_port"]
        if self.kafka_bootstrap_given is None:
            yield self.kafka_port, PORT_SETTINGS["kafka_port"]
            yield self.controller_port, PORT_SETTINGS["port_base"]
        if self.postgres_url is None:
            yield self.postgres_port, PORT_SETTINGS["postgres_port"]
        yield self.envoy_admin_port, PORT_SETTINGS["port_base"]
        for program in PROGRAMS:
            if program.role == "api":
                yield self.api_port(program), PORT_SETTINGS["port_base"]
            yield self.ops_port(program), PORT_SETTINGS["port_base"]

    def database(self, service: str, role: str) -> str:
        """The address of a service's database for its `owner` or its `app` role."""
        account = f"{service}_{role}"
        if self.postgres_url is None:
            return self.postgres.dsn(service, account)
        given = urlsplit(self.postgres_url)
        host = given.netloc.rpartition("@")[2]
        credentials = f"{account}:{self.postgres.passwords.of(account)}"
        return given._replace(netloc=f"{credentials}@{host}", path=f"/{service}").geturl()

    def environment(self, program: Program) -> dict[str, str]:
        """All that a program is told; who owns the database is for migrations alone to know."""
        return {
            "KEGAI_DATABASE_URL": self.database(program.service, "app"),
            "KEGAI_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "KEGAI_JWKS": str(self.keys.jwks),
            "KEGAI_TOKEN_ISSUER": ISSUER,
            "KEGAI_TOKEN_AUDIENCE": AUDIENCE,
            "KEGAI_HOST": LOOPBACK,
            "KEGAI_PORT": str(self.api_port(program)),
            "KEGAI_OPS_PORT": str(self.ops_port(program)),
            "KEGAI_PUBLIC_URL": self.url,
            "KEGAI_FILES": self.files,
        }

    def gateway_configuration(self) -> str:
        """The text of Envoy's configuration for this stack's ports."""
        apis = {program.service: self.api_port(program) for program in PROGRAMS if program.role == "api"}
        places = Places(
            port=self.gateway_port,
            admin_port=self.envoy_admin_port,
            ports=apis,
            jwks=self.keys.jwks,
            issuer=ISSUER,
            audience=AUDIENCE,
        )
        return envoy_yaml(load(), places)

    def expected(self) -> list[str]:
        """The names of the processes that the stack has when it is up, in the order in which they start."""
        stores = [] if self.postgres_url else ["postgres"]
        stores += [] if self.kafka_bootstrap_given else ["kafka"]
        return [*stores, *(program.name for program in PROGRAMS), "envoy"]

    @property
    def finished(self) -> Path:
        """The mark that `up` came to its end; a killed one leaves none."""
        return self.home / "run" / "finished"

    def is_up(self) -> bool:
        """Whether `up` came to its end and every process that it started is still running."""
        running = {process.name for process in self.processes() if process.running()}
        return self.finished.exists() and running >= set(self.expected())

    def processes(self) -> list[Process]:
        """Every process that has a record in the state folder, running or not."""
        names = [record.stem for record in sorted((self.home / "run").glob("*.pid"))]
        return [self.postgres.process if name == "postgres" else Process(name, self.home) for name in names]


def _port(environ: Mapping[str, str], name: str) -> int:
    value = environ[name]
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise StackError(f"{name}={value}：端口应为 1 至 65535 的整数。", f"{name}={value}: a port is 1 to 65535.")
    return int(value)
