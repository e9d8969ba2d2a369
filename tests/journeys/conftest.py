"""One stack for all journeys."""

import os
from collections.abc import Iterator

import pytest

from kegai.local.stack import Stack
from living import Living, free_base


@pytest.fixture(scope="session")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """A stack that `kegai up` has started, and `kegai reset` ends."""
    home, base = tmp_path_factory.mktemp("stack"), free_base()
    ports = {
        "KEGAI_GATEWAY_PORT": base + 1,
        "KEGAI_KAFKA_PORT": base + 2,
        "KEGAI_POSTGRES_PORT": base + 3,
        "KEGAI_PORT_BASE": base + 4,
    }
    given = ("KEGAI_POSTGRES_URL", "KEGAI_KAFKA_BOOTSTRAP")
    environment = {name: value for name, value in os.environ.items() if name not in given}
    environment |= {"KEGAI_HOME": str(home), **{name: str(port) for name, port in ports.items()}}
    living = Living(Stack.from_environment(environment), environment, "")
    try:
        yield Living(living.stack, environment, living.kegai("up"))
    finally:
        living.kegai("reset")
