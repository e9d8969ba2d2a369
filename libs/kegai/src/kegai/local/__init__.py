"""The servers of the local stack, usable on their own: the test suite starts the same PostgreSQL and the same Kafka.

They are synchronous: `start()` blocks until the server is ready or raises `StackError` with the end of its log;
`stop()` ends it cleanly and keeps its data; `wipe()` removes them, too. Each keeps all that it has under the folder
that it is given: data, `logs/<name>.log`, `run/<name>.pid`. From asynchronous code call them in a thread.
"""

from kegai.local.envoy import EnvoyServer
from kegai.local.kafka import KafkaServer
from kegai.local.postgres import PostgresServer, provision

__all__ = ["EnvoyServer", "KafkaServer", "PostgresServer", "provision"]
