"""The broker's jars: locked one by one, and what differs by a byte is not used."""

import re
from pathlib import Path
from xml.etree import ElementTree

from kegai.local.kafka import jars
from kegai.local.kafka.lock import POM


def test_every_jar_is_locked_by_coordinates_and_sha256() -> None:
    locked = jars.locked()
    assert len(locked) == len({(jar.group, jar.artifact) for jar in locked}) > 40
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in locked)
    assert all(re.fullmatch(r"\d[\w.-]*", jar.version) for jar in locked)


def test_the_lock_names_no_host() -> None:
    assert "//" not in jars.LOCK.read_text()


def test_the_lock_is_of_the_pom() -> None:
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    versions = {jar.artifact: jar.version for jar in jars.locked()}
    for wanted in ElementTree.parse(POM).getroot().iterfind(".//m:dependency", space):
        assert versions[wanted.findtext("m:artifactId", "", space)] == wanted.findtext("m:version", "", space)


def test_the_logging_binding_is_of_the_version_of_what_it_binds() -> None:
    versions = {jar.artifact: jar.version for jar in jars.locked()}
    assert versions["log4j-slf4j-impl"] == versions["log4j-core"]


def test_a_jar_with_other_bytes_counts_as_missing(tmp_path: Path) -> None:
    jar = jars.Jar("cn.cqast", "sample", "1", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    file = jar.file(tmp_path)
    assert file == tmp_path / "cn" / "cqast" / "sample" / "1" / "sample-1.jar"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"test")
    assert jar.is_in(tmp_path)
    file.write_bytes(b"tesT")
    assert not jar.is_in(tmp_path)
