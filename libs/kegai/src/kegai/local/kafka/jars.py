"""Every jar of the broker is byte for byte the one that the lock names, or the broker does not start."""

import fcntl
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from kegai.language import StackError

LOCK = Path(__file__).with_name("jars.lock")
_DOWNLOADS_AT_ONCE = 8


@dataclass(frozen=True)
class Jar:
    """One line of the lock: the coordinates of a jar and the SHA-256 of its bytes, in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    def file(self, cache: Path) -> Path:
        """Where the jar lies in the cache, which is laid out as a Maven repository."""
        folder = cache.joinpath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"

    def is_in(self, cache: Path) -> bool:
        """Whether the cache holds exactly these bytes."""
        file = self.file(cache)
        return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == self.sha256


def locked() -> list[Jar]:
    """The jars of the lock, in its order."""
    lines = [line.replace(":", " ").split() for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return [Jar(group, artifact, version, sha256) for group, artifact, version, sha256 in lines]


def default_cache() -> Path:
    """The folder of downloaded jars, in the user's cache: neither a reset nor a second checkout downloads again."""
    return platformdirs.user_cache_path("kegai") / "jars"


def fetched(cache: Path | None = None) -> list[Path]:
    """The files of all locked jars; what the cache lacks is downloaded first.

    Raises:
        StackError: a jar could not be had, or the bytes that came are not those of the lock.
    """
    cache = cache or default_cache()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once must not write the same file
        missing = [jar for jar in locked() if not jar.is_in(cache)]
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            list(pool.map(lambda jar: _download(jar, cache), missing))
    return [jar.file(cache) for jar in locked()]


def _download(jar: Jar, cache: Path) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415  heavy, and of no use once the cache is full

    jar.file(cache).unlink(missing_ok=True)
    name = f"{jar.group}:{jar.artifact}:{jar.version}"
    try:
        project = MavenContext(repo_cache=cache, timeout=60).project(jar.group, jar.artifact)
        project.at_version(jar.version).artifact().resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise StackError(
            f"无法下载 {name}：{error}。请检查网络与代理（HTTPS_PROXY）后重试。",
            f"{name} could not be downloaded: {error}. Check the network and the proxy (HTTPS_PROXY), then try again.",
        ) from error
    if not jar.is_in(cache):
        jar.file(cache).unlink(missing_ok=True)
        raise StackError(
            f"{name} 的内容与 {LOCK.name} 中的 SHA-256 不符，已丢弃。",
            f"What came for {name} is not what {LOCK.name} names by SHA-256; it was thrown away.",
        )
