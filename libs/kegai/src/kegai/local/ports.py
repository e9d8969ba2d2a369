"""A port that is taken is always named with who holds it and the way out."""

import socket
from contextlib import suppress

import psutil

from kegai.language import StackError

LOOPBACK = "127.0.0.1"


class PortTakenError(StackError):
    """Another program listens on a port that the stack needs."""

    def __init__(self, port: int, setting: str | None = None) -> None:
        holder = holder_of(port)
        zh = f"端口 {port} 已被占用：{holder or '占用者属于其他账户，无法查看'}。"
        en = f"Port {port} is taken by {holder or 'a process of another account'}."
        if setting is not None:
            zh += f"请停止该程序，或换用其他端口，例如：{setting}={port + 1} kegai up"
            en += f" Stop it, or take another port, for example: {setting}={port + 1} kegai up"
        super().__init__(zh, en)
        self.port = port


def free_port() -> int:
    """A loopback port on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def answers(port: int, host: str = LOOPBACK) -> bool:
    """Whether a TCP connection to the port is accepted."""
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def is_taken(port: int) -> bool:
    """Whether a server of ours could not listen on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return answers(port)


def holder_of(port: int) -> str | None:
    """Who listens on the port, as "pid 42 (nginx -g daemon off;)"; None if this account cannot see it."""
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
                with suppress(psutil.Error):
                    command = " ".join(psutil.Process(connection.pid).cmdline())
                    return f"pid {connection.pid} ({command[:120]})"
    return None
