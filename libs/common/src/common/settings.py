"""What a process is told by its environment, spelt out once."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from variables that begin with ``KEGAI_``; a service adds its own in a subclass.

    A missing address is an error at start-up, never a guess.
    """

    model_config = SettingsConfigDict(env_prefix="KEGAI_", frozen=True)

    database_url: str
    kafka_bootstrap: str
    jwks: str = ""
    """Path or http(s) address of the JSON Web Key Set that tokens are checked against."""
    token_issuer: str = "urn:kegai:dev"  # noqa: S105 - a name, not a secret
    token_audience: str = "kegai"  # noqa: S105 - a name, not a secret
    host: str = "127.0.0.1"
    port: int = 8000
    ops_port: int = 9000
    """Port of /livez, /readyz and /metrics, which no gateway routes to."""
    public_url: str = "http://localhost:8080"
    """Origin under which the events' data schemas are named."""
    pool_max: int = 10
    files: str = ""
    """Where a service that keeps files keeps them: ``file:///folder`` or ``s3://bucket/prefix?endpoint=…``."""
    file_bytes_max: int = 50 * 1024 * 1024
    """The largest file that is taken."""
    relay_slices: int = 1
    """Key slices of the outbox, each with its own relay. To change it, stop the service and let the outbox drain."""


class MigrationSettings(BaseSettings):
    """What a migration is told: the address of the role that owns the database."""

    model_config = SettingsConfigDict(env_prefix="KEGAI_", frozen=True)

    database_owner_url: str
