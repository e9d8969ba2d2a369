"""An S3 server for tests, in this process, and a bucket on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
from moto.server import ThreadedMotoServer


@contextmanager
def a_bucket() -> Iterator[str]:
    """The address of an empty place in a bucket, as a setting says it, while the server runs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    httpx.put(f"http://{host}:{port}/evidence", trust_env=False).raise_for_status()
    access = "access_key_id=tests&secret_access_key=tests&region=us-east-1"
    try:
        yield f"s3://evidence/{uuid4()}?endpoint=http://{host}:{port}&{access}"
    finally:
        server.stop()
