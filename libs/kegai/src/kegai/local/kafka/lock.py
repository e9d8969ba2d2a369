"""The lock of the broker's jars is what Maven resolved from pom.xml, with the SHA-256 of every file.

    python -m kegai.local.kafka.lock            # as `make kafka-lock` does; needs Maven on the PATH

Maven is asked here, once, because it alone mediates versions as the authors of these jars meant it.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from kegai.local.kafka.jars import LOCK

POM = Path(__file__).with_name("pom.xml")
_HEADER = "# The jars of the local Kafka broker: written by `make kafka-lock` from pom.xml; do not edit.\n"


def resolve() -> str:
    """The text of the lock: a line "group:artifact:version sha256" for every jar, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "listing"
        options = ["-DincludeScope=runtime", f"-DoutputFile={listing}", "-DoutputAbsoluteArtifactFilename=true"]
        subprocess.run(["mvn", "--batch-mode", "--quiet", "--file", POM, "dependency:list", *options], check=True)
        lines = [line.strip() for line in listing.read_text().splitlines() if ":jar:" in line]
    return _HEADER + "".join(sorted(_locked(line) for line in lines))


def _locked(line: str) -> str:
    """One line of the lock from Maven's "group:artifact:jar:version:scope:/file [-- module …]"."""
    group, artifact, _, version, _, file = line.partition(" -- ")[0].split(":")
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return f"{group}:{artifact}:{version} {digest}\n"


if __name__ == "__main__":
    LOCK.write_text(resolve())
    sys.stdout.write(f"{LOCK}: {sum(1 for line in LOCK.open() if not line.startswith('#'))} jars\n")
