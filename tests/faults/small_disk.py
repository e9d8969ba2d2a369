"""A disk that can be filled: a tmpfs of its own under the data of one server, and the ballast that fills it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.history import HarnessError
from faults.servers import FaultServers
from kegai.local import KafkaServer, PostgresServer

BALLAST = "ballast"


def place_of(servers: FaultServers, server: str) -> Path:
    """The folder of a server's data: its mount point, if its disk is small."""
    return {"postgres": servers.postgres.data, "kafka": servers.kafka.data}[server].parent


@contextmanager
def small_disk(server: str, megabytes: int, home: Path) -> Iterator[FaultServers]:
    """Servers of which one has only so much room.

    :raises HarnessError: the machine does not let us: the fault cannot be injected, and that is no pass.
    """
    home.mkdir(parents=True, mode=0o755, exist_ok=True)
    servers = FaultServers(home)
    place = place_of(servers, server)
    place.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "kegai-faults"]
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HarnessError(f"a full disk could not be injected: mounting one needs root here. {done.stderr.strip()}")
    try:
        servers.start()
        yield servers
    finally:
        for one in (servers.postgres, servers.kafka):
            one.stop()
        subprocess.run(["umount", "-l", str(place)], check=True)
        servers.remove()


def fill(servers: FaultServers, server: str) -> str:
    """Fill the disk to its last byte; the proof."""
    place = place_of(servers, server)
    with (place / BALLAST).open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(65536))
        except OSError as full:
            reason = full.strerror
    left = os.statvfs(place)
    if left.f_bavail:
        raise HarnessError(f"{place} still has {left.f_bavail} free blocks")
    return f"{(place / BALLAST).stat().st_size >> 20} MB of ballast under {server}, no block left ({reason})"


def free(servers: FaultServers, server: str) -> str:
    """Throw the ballast out; a server that could not live without room is started again, as by its supervisor."""
    ballast = place_of(servers, server) / BALLAST
    size = ballast.stat().st_size >> 20
    ballast.unlink()
    freed = f"{size} MB were freed under {server}"
    both: dict[str, PostgresServer | KafkaServer] = {"postgres": servers.postgres, "kafka": servers.kafka}
    full = both[server]
    if full.process.running() is None:
        full.start()
        return f"{freed}, and it was started again, for it had ended"
    return freed
