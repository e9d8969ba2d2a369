"""PostgreSQL never runs as root: as root, an unprivileged account is found that can reach what it needs."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from kegai.language import StackError

_CANDIDATES = ("postgres", "nobody")


def unprivileged() -> str | None:
    """The account that servers which refuse root run as; None when the caller is no root and may run them itself."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for account in _CANDIDATES:
        if account in known:
            return account
    raise StackError(
        "以 root 运行时，PostgreSQL 需要一个普通账户（postgres 或 nobody），本机没有。请以普通用户运行。",
        "PostgreSQL refuses to run as root and this machine has no account postgres or nobody: run as a plain user.",
    )


def can_reach(account: str, path: Path) -> bool:
    """Whether the account gets through every folder on the way to `path` (tried, since modes do not tell all)."""
    attempt = subprocess.run(["test", "-r", path], user=account, group=group_of(account), extra_groups=[], check=False)
    return attempt.returncode == 0


def hand_over(path: Path, account: str) -> None:
    """Make the account the owner of `path`."""
    shutil.chown(path, account, group_of(account))


def group_of(account: str) -> int:
    """The number of the account's own group."""
    return pwd.getpwnam(account).pw_gid
