"""Commands come once more, with their keys, when others have long changed the same: the reply is all they bring."""

import time

from faults.clients import Load, outcome_of
from faults.fault import Fault
from faults.history import Kind, Operation
from faults.stack import OFFICE, FaultStack


async def inject(stack: FaultStack, load: Load) -> str:
    """Send again what moved milestones that others have moved since: each would move them back."""
    await load.after(150)
    again = [one for one, _ in load.history.accepted() if one.action.endswith("/reschedule")][:40]
    async with stack.client(stack.the("measures", "api").url, OFFICE) as office:
        for one in again:
            headers = {
                "idempotency-key": str(one.key),
                "x-request-id": str(one.key),
                "content-type": "application/json",
            }
            sent_at = time.monotonic()
            reply = await office.post(f"/api/v1/items/{one.aggregate}/{one.action}", content=one.body, headers=headers)
            load.history.add(
                Operation(
                    client=one.client,
                    kind=Kind.COMMAND,
                    action=one.action,
                    sent_at=sent_at,
                    done_at=time.monotonic(),
                    outcome=outcome_of(reply.status_code, reply.content),
                    aggregate=one.aggregate,
                    key=one.key,
                    body=one.body,
                    attempt=one.attempt + 1,
                )
            )
    return f"{len(again)} commands were sent once more" if again else ""


FAULT = Fault(inject=inject, within_s=5)
