"""Reads a topic of facts from its beginning and checks all that is promised about it, with nothing of Kegai's own code.

    pip install confluent-kafka jsonschema
    python consumer.py --bootstrap localhost:9092 --topic cqast.measures.events.v1 --until-end

Prints a line for each event. Ends with 1 and a reason at the first record that does not keep a promise.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from jsonschema import Draft202012Validator, ValidationError


def main() -> None:
    """Read, check and print until told to stop, or until the end."""
    told = arguments()
    versions: dict[str, int] = {}
    count = 0
    for message in messages(told.bootstrap, told.topic, until_end=told.until_end):
        headers = headers_of(message)
        try:
            new = check(headers, message.key(), message.value(), versions, api=told.api)
        except (ValueError, ValidationError) as error:
            sys.exit(f"{message.topic()}[{message.partition()}]@{message.offset()}: {error}")
        if new:
            count += 1
            print(headers["ce_effectiveat"], headers["ce_type"], headers["ce_subject"], int(headers["ce_sequence"]))
    print(f"{count} events of {len(versions)} aggregates", file=sys.stderr)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", default="localhost:9092")
    parser.add_argument("--topic", default="cqast.measures.events.v1")
    parser.add_argument("--api", default="http://localhost:8080", help="where the schemas are served")
    parser.add_argument("--until-end", action="store_true", help="stop where nothing more is there now")
    return parser.parse_args()


def messages(bootstrap: str, topic: str, *, until_end: bool) -> Iterator[Message]:
    """All records of the topic, partition by partition in order.

    A consumer that derives something keeps its offsets beside what it derives, in the same transaction, and begins
    there; this one derives nothing and begins at the beginning.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "kegai-example",  # never used to commit, but librdkafka wants a name
            "enable.auto.commit": False,
            "isolation.level": "read_committed",  # else you also see what a relay that failed had sent
            "enable.partition.eof": until_end,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        unread = set(partitions)
        while unread:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if (error := message.error()) is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # its public name, in spite of the underscore
                unread.discard(message.partition())
            else:
                raise KafkaException(error)
    finally:
        consumer.close()


def headers_of(message: Any) -> dict[str, str]:
    """The headers of a record, each as text."""
    return {name: value.decode() for name, value in message.headers() or []}


def check(
    headers: dict[str, str], key: bytes | None, value: bytes | None, versions: dict[str, int], *, api: str
) -> bool:
    """Whether the record tells something new; a repeat does not.

    :param versions: the last version seen of each aggregate; it is brought up to date.
    :raises ValueError: the record breaks a promise; ``ValidationError``: it does not fit its schema.
    """
    schema(f"{api}/events/schemas/envelope.v1.json").validate(headers)
    schema(api + urlsplit(headers["ce_dataschema"]).path).validate(json.loads(value or b"null"))
    subject, version = headers["ce_subject"], int(headers["ce_sequence"])
    if (key or b"").decode() != subject:
        raise ValueError(f"the key {key!r} is not the subject {subject}")
    known = versions.get(subject, 0)
    if version <= known:
        return False  # at least once: you have it already
    if version != known + 1:
        raise ValueError(f"{subject}: version {version} came after {known}, so something is missing")
    versions[subject] = version
    return True


@cache
def schema(address: str) -> Draft202012Validator:
    """The schema at an address, fetched once."""
    with urlopen(address, timeout=10) as reply:  # noqa: S310 - the origin is our own argument
        found: Any = json.load(reply)
    return Draft202012Validator(found, format_checker=Draft202012Validator.FORMAT_CHECKER)


if __name__ == "__main__":
    main()
