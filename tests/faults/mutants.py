"""Changes of real modules, each of them a mistake that one could make: every one must be caught, and by whom is said.

Nothing of the project is imported here, so that a mutant can be put in before anything is loaded.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement in the source of one module; the text occurs there exactly once."""

    module: str
    text: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake, the scenario that reveals it, and the invariant that must be violated then."""

    name: str
    about: str
    changes: tuple[Change, ...]
    scenario: str
    caught_by: str
    without: str = ""
    """SQL by which a second guard is removed first, so that the one in question is on its own."""

    @property
    def modules(self) -> frozenset[str]:
        """The modules that it changes."""
        return frozenset(change.module for change in self.changes)


OUTBOX, SAVING, KAFKA = "common.outbox", "common.saving", "common.kafka"
PROJECTION, INBOX, PROGRESS = "common.projection", "common.inbox", "events.views.progress"

READS = "rows = await connection.fetch(READ, self._slice, settled.position, WINDOW_MAX)"
UNCOMMITTED_LEFT_OUT = (
    'READ.replace("ORDER", "AND o.xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER")'
)


def _listed(mutants: Iterable[Mutant]) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in mutants}


MUTANTS = _listed(
    (
        Mutant(
            "position-cursor",
            "the relay looks only beyond the last position that it published",
            (Change(OUTBOX, READS, READS.replace("settled.position", "last")),),
            scenario="commit-late",
            caught_by="I1",
        ),
        Mutant(
            "snapshot-cursor",
            "the same, and it leaves out rows of transactions that are not older than every running one",
            (Change(OUTBOX, READS, READS.replace("settled.position", "last").replace("READ", UNCOMMITTED_LEFT_OUT)),),
            scenario="commit-late",
            caught_by="I1",
        ),
        Mutant(
            "skip-locked",
            "workers share the outbox by SKIP LOCKED. Such a design has neither an election nor a common producer, so "
            "that rows are read under a lock (1), nobody is elected (2), and each has a producer of its own (3)",
            (
                Change(
                    OUTBOX,
                    READS,
                    'await connection.execute("COMMIT; BEGIN"); '
                    + READS.replace("READ", 'READ + " FOR UPDATE OF o SKIP LOCKED"'),
                ),
                Change(OUTBOX, "pg_try_advisory_lock(", "pg_try_advisory_lock_shared("),
                Change(
                    OUTBOX,
                    "relay_producer(self._bootstrap, self.name)",
                    "relay_producer(self._bootstrap, f'{self.name}-{time.time_ns()}')",
                ),
            ),
            scenario="relay-stalls",
            caught_by="I4",
        ),
        Mutant(
            "no-fencing",
            "each relay's producer has an identity of its own, so that a successor does not fence it",
            (
                Change(
                    OUTBOX,
                    "relay_producer(self._bootstrap, self.name)",
                    "relay_producer(self._bootstrap, f'{self.name}-{time.time_ns()}')",
                ),
            ),
            scenario="relay-frozen-in-transaction",
            caught_by="I12",
        ),
        Mutant(
            "no-key",
            "no reply is remembered under its key",
            (
                Change(
                    SAVING, "FROM saved WHERE $11::text IS NOT NULL", "FROM saved WHERE $11::text IS NOT NULL AND false"
                ),
            ),
            scenario="repeats-late",
            caught_by="I7",
        ),
        Mutant(
            "key-conflict-ignored",
            "a key that is there already does not undo the effect of a second request",
            (
                Change(
                    SAVING,
                    "FROM saved WHERE $11::text IS NOT NULL",
                    "FROM saved WHERE $11::text IS NOT NULL ON CONFLICT DO NOTHING",
                ),
            ),
            scenario="repeats-late",
            caught_by="I7",
        ),
        Mutant(
            "no-version-check",
            "what was decided is saved whatever has happened meanwhile",
            (
                Change(
                    SAVING, "WHERE id = $1::uuid AND version = $2::bigint", "WHERE id = $1::uuid AND 0 <= $2::bigint"
                ),
            ),
            scenario="one-hot-item",
            caught_by="I3",
            without="ALTER TABLE event DROP CONSTRAINT uq_event_aggregate_type_aggregate_id_aggregate_version",
        ),
        Mutant(
            "offset-before-view",
            "the offset is committed before the view is written",
            (
                Change(
                    PROJECTION,
                    "applied = await Inbox(connection, self._projection, singly=singly).receive(fresh) if fresh else 0",
                    "await offsets.move(connection, self._projection.name, marks) if marks else None; "
                    "await connection.execute('COMMIT; BEGIN'); "
                    "applied = await Inbox(connection, self._projection, singly=singly).receive(fresh) if fresh else 0",
                ),
            ),
            scenario="projector-killed-before-commit",
            caught_by="I1",
        ),
        Mutant(
            "no-version-guard",
            "the projector applies whatever comes, repeats too",
            (Change(INBOX, "if parcel.aggregate_id and parcel.version <= applied:", "if False:"),),
            scenario="everything-three-times",
            caught_by="I1",
        ),
        Mutant(
            "no-roll-up-lock",
            "a measure is computed without its row being locked first",
            (Change(PROGRESS, "ORDER BY plan, measure FOR UPDATE", "ORDER BY plan, measure"),),
            scenario="measure-contended",
            caught_by="I5",
        ),
    )
)
