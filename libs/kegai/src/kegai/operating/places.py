"""Where a service keeps its events and where it tells of them: on the local stack, or as its own processes are told."""

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
from kegai.local.stack import Stack

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


def places(service: str | None, environ: Mapping[str, str] = os.environ) -> list[Place]:
    """All deciding services or one, of the local stack; or the one that KEGAI_DATABASE_URL belongs to, if that is set.

    Raises:
        StackError: a database is given, but neither its service nor its broker.
    """
    database_url, bootstrap = environ.get("KEGAI_DATABASE_URL"), environ.get("KEGAI_KAFKA_BOOTSTRAP")
    slices = int(environ.get("KEGAI_RELAY_SLICES") or 1)
    if database_url is None:
        stack = Stack.running()
        chosen = PRODUCERS if service is None else (service,)
        return [Place(one, stack.database(one, "app"), stack.kafka_bootstrap, slices) for one in chosen]
    if service is None or bootstrap is None:
        raise StackError(
            "已设置 KEGAI_DATABASE_URL：还需 --service 指明其服务，并设置 KEGAI_KAFKA_BOOTSTRAP。",
            "KEGAI_DATABASE_URL is set: say whose it is with --service, and set KEGAI_KAFKA_BOOTSTRAP.",
        )
    return [Place(service, database_url, bootstrap, slices)]


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
