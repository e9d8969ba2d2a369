"""A backend of PostgreSQL is killed: the server trusts none of the others either and begins anew from its log."""

import asyncpg
import psutil

from eventually import eventually
from faults.clients import Load
from faults.fault import Fault
from faults.stack import FaultStack


async def inject(stack: FaultStack, _load: Load) -> str:
    """Kill one that serves commands, and see the server say that all others were ended for it."""
    admin = await asyncpg.connect(stack.servers.postgres.dsn())
    try:
        pid = await admin.fetchval("SELECT pid FROM pg_stat_activity WHERE application_name = 'measures-api' LIMIT 1")
        backend = psutil.Process(pid)
        backend.kill()
        await eventually(lambda: not backend.is_running())
        await eventually(admin.is_closed)
    finally:
        admin.terminate()
    log = stack.servers.postgres.process.log
    said = f"(PID {pid}) was terminated by signal 9"
    await eventually(lambda: said in log.read_text(errors="replace"))
    return f"postgres: backend {said}; every other connection was ended with it"


FAULT = Fault(inject=inject, within_s=10)
