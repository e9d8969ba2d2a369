"""`up` that cannot start leaves nothing behind and says why."""

import socket
from pathlib import Path

import pytest

from kegai.console import Console
from kegai.local.ports import LOOPBACK, PortTakenError, free_port
from kegai.local.stack import Stack
from kegai.local.up import up


def test_a_taken_port_is_refused_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEGAI_HOME", str(tmp_path))
    with socket.create_server((LOOPBACK, 0)) as server:
        taken = server.getsockname()[1]
        stack = Stack(tmp_path, gateway_port=taken, kafka_port=free_port(), postgres_port=free_port(), port_base=28300)
        with pytest.raises(PortTakenError, match=str(taken)):
            up(stack, Console())
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "postgres").exists()
    assert "✓" not in capsys.readouterr().out
