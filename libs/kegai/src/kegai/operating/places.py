"""Where services keep their events and tell of them: as the environment says, else on the local stack."""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from aiokafka.errors import KafkaError

from common.contracts import topic
from common.database import AWAY
from common.kafka import PRODUCERS
from common.reading import NoSuchTopic
from kegai.language import StackError
from kegai.local.stack import SERVICES, Stack

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """One deciding service: its database, as its runtime role sees it, and the broker of its topic."""

    service: str
    database_url: str
    bootstrap: str
    slices: int

    @property
    def topic(self) -> str:
        """The topic that it tells on."""
        return topic(self.service)


@dataclass(frozen=True)
class Places:
    """The databases by service, and the broker."""

    databases: Mapping[str, str]
    bootstrap: str
    slices: int

    @classmethod
    def known(cls, environ: Mapping[str, str] = os.environ) -> "Places":
        """Those that KEGAI_<SERVICE>_DATABASE_URL and KEGAI_KAFKA_BOOTSTRAP name; none named: the local stack's.

        Raises:
            StackError: databases are named, but no broker.
        """
        named = {one: url for one in SERVICES if (url := environ.get(f"KEGAI_{one.upper()}_DATABASE_URL"))}
        slices = int(environ.get("KEGAI_RELAY_SLICES") or 1)
        if not named:
            stack = Stack.running()
            return cls({one: stack.database(one, "app") for one in SERVICES}, stack.kafka_bootstrap, slices)
        if not (bootstrap := environ.get("KEGAI_KAFKA_BOOTSTRAP")):
            raise StackError("还需设置 KEGAI_KAFKA_BOOTSTRAP。", "KEGAI_KAFKA_BOOTSTRAP must be set as well.")
        return cls(named, bootstrap, slices)

    def deciding(self, service: str | None = None) -> list[Place]:
        """The services that decide, all that are known or one.

        Raises:
            StackError: the database of that one is not named.
        """
        chosen = [one for one in PRODUCERS if one in self.databases and service in (None, one)]
        if not chosen:
            name = f"KEGAI_{service or '…'}_DATABASE_URL".upper()
            raise StackError(f"还需设置 {name}。", f"{name} must be set as well.")
        return [Place(one, self.databases[one], self.bootstrap, self.slices) for one in chosen]


def run(asking: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns.

    Raises:
        StackError: a server cannot be asked, or does not let us, or the topic is not there.
    """
    try:
        return asyncio.run(asking)
    except NoSuchTopic as error:
        raise StackError(
            f"没有主题 {error}。请先创建：python -m common.kafka topics（本地：make up）",
            f"There is no topic {error}. Make it first: python -m common.kafka topics (locally: make up)",
        ) from error
    except (*AWAY, asyncpg.PostgresError, KafkaError) as error:
        raise StackError(
            f"无法访问 PostgreSQL 或 Kafka（{error!r}）。请运行：kegai status",
            f"PostgreSQL or Kafka cannot be asked ({error!r}). Look at: kegai status",
        ) from error
