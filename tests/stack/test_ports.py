"""Ports: who holds one is named, with the way out."""

import os
import socket

import pytest

from kegai.language import StackError, choose
from kegai.local.ports import LOOPBACK, PortTakenError, answers, free_port, holder_of, is_taken
from kegai.local.stack import Stack


def test_a_taken_port_is_named_with_its_holder_and_the_way_out() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert is_taken(port)
        told = PortTakenError(port, "KEGAI_KAFKA_PORT")
    assert f"pid {os.getpid()} (" in told.en
    assert f"KEGAI_KAFKA_PORT={port + 1} kegai up" in told.en
    assert f"端口 {port} 已被占用：pid {os.getpid()}" in told.zh


def test_a_free_port_is_neither_taken_nor_held() -> None:
    port = free_port()
    assert not is_taken(port)
    assert not answers(port)
    assert holder_of(port) is None


def test_every_port_can_be_set(tmp_path: object) -> None:
    stack = Stack.from_environment(
        {
            "KEGAI_HOME": str(tmp_path),
            "KEGAI_GATEWAY_PORT": "8081",
            "KEGAI_KAFKA_PORT": "9093",
            "KEGAI_POSTGRES_PORT": "15433",
            "KEGAI_PORT_BASE": "19000",
        }
    )
    ports = [port for port, _ in stack.ports()]
    assert {8081, 9093, 15433} <= set(ports)
    assert all(port in {8081, 9093, 15433} or 19000 <= port < 19100 for port in ports)
    assert len(ports) == len(set(ports))


def test_a_port_that_is_no_number_is_refused_by_its_setting() -> None:
    choose("en")
    with pytest.raises(StackError, match="KEGAI_KAFKA_PORT=nine"):
        Stack.from_environment({"KEGAI_KAFKA_PORT": "nine"})
    choose(None)
