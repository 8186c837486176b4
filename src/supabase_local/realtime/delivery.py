"""From committed changes to what each subscriber hears: filters first, then row security, then the wording."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection

from supabase_local.realtime.bindings import Binding, ChangeType
from supabase_local.realtime.changes import Committed, RowChange, convert
from supabase_local.realtime.claims import Viewer
from supabase_local.realtime.payloads import NO_KEY, UNAUTHORIZED, error_payload, row_payload
from supabase_local.realtime.pgoutput import Relation
from supabase_local.realtime.replication import Transaction
from supabase_local.realtime.rows import Table, read_table, until_visible, visible_keys

_BATCH = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One channel's bindings with the tables they mean. `deliver` takes type, JSON text and the ids of the bindings."""

    viewer: Viewer
    bindings: tuple[tuple[Binding, frozenset[int]], ...]
    deliver: Callable[[ChangeType, str, list[int]], None]

    def on(self, oid: int) -> list[Binding]:
        return [binding for binding, oids in self.bindings if oid in oids]


@dataclass(frozen=True, slots=True)
class _Hearing:
    """A subscriber who is to hear of `change`, or only of `error`: the bindings that ask for the same columns."""

    subscription: Subscription
    change: RowChange
    select: tuple[str, ...] | None
    ids: list[int]
    error: str | None

    @property
    def needs_row_security(self) -> bool:
        return self.error is None and self.change.type != "DELETE"


async def distribute(
    connection: AsyncConnection, transactions: Sequence[Transaction], subscriptions: Sequence[Subscription]
) -> None:
    """Deliver every change in order. What cannot be read any more is logged and lost; a lost connection raises."""
    heard = [
        (change, transaction)
        for transaction in transactions
        for change in transaction.changes
        if any(subscription.on(change.relation.oid) for subscription in subscriptions)
    ]
    for relation, run in itertools.groupby(heard, key=lambda each: each[0].relation):
        changes = list(run)
        audience = [subscription for subscription in subscriptions if subscription.on(relation.oid)]
        for start in range(0, len(changes), _BATCH):
            try:
                await _distribute_batch(connection, relation, changes[start : start + _BATCH], audience)
            except psycopg.Error as error:
                if connection.broken:
                    raise
                _log.error("changes of %s.%s are lost: %s", relation.schema, relation.table, error)


async def _distribute_batch(
    connection: AsyncConnection, relation: Relation, batch: Sequence[Committed], audience: Sequence[Subscription]
) -> None:
    """Changes of one table: two queries, and under row security one more for each distinct viewer."""
    roles = {subscription.viewer.role for subscription in audience}
    if (table := await read_table(connection, relation, roles)) is None:
        return
    filters = {wanted for subscription in audience for b in subscription.on(relation.oid) for wanted in b.filters}
    changes = await convert(connection, table, relation, batch, list(filters))
    errors = {role: error for role in roles if (error := _refusal(table, role)) is not None}
    hearings = [
        hearing
        for change in changes
        for subscription in audience
        for hearing in _hearings(subscription, relation.oid, change, errors)
    ]
    if table.has_rls:
        await until_visible(connection, {transaction.xid for _, transaction in batch})
        hearings = await _without_invisible(connection, table, hearings)
    _deliver(table, hearings)


def _refusal(table: Table, role: str) -> str | None:
    if not table.key:
        return NO_KEY
    return None if all(role in column.selectable_by for column in table.key) else UNAUTHORIZED


def _hearings(subscription: Subscription, oid: int, change: RowChange, errors: Mapping[str, str]) -> list[_Hearing]:
    """Errors are told regardless of filters."""
    error = errors.get(subscription.viewer.role) if change.type != "DELETE" else None
    ids: dict[tuple[str, ...] | None, list[int]] = {}
    for binding in subscription.on(oid):
        if binding.wants(change.type) and (error or change.passed.issuperset(binding.filters)):
            ids.setdefault(binding.select, []).append(binding.id)
    return [_Hearing(subscription, change, select, found, error) for select, found in ids.items()]


async def _without_invisible(connection: AsyncConnection, table: Table, hearings: Sequence[_Hearing]) -> list[_Hearing]:
    """A row whose key the stream does not tell cannot be checked, so it stays unheard."""
    wanted: dict[Viewer, dict[tuple[str, ...], None]] = {}
    for hearing in hearings:
        if hearing.needs_row_security and len(hearing.change.key) == len(table.key):
            wanted.setdefault(hearing.subscription.viewer, {})[hearing.change.key] = None
    visible = {viewer: await _visible(connection, table, viewer, list(keys)) for viewer, keys in wanted.items()}
    return [
        hearing
        for hearing in hearings
        if not hearing.needs_row_security or hearing.change.key in visible.get(hearing.subscription.viewer, ())
    ]


async def _visible(
    connection: AsyncConnection, table: Table, viewer: Viewer, keys: Sequence[tuple[str, ...]]
) -> set[tuple[str, ...]]:
    try:
        return await visible_keys(connection, table, viewer, keys)
    except psycopg.Error as error:
        if connection.broken:
            raise
        _log.warning("a policy of %s.%s failed for %s: %s", table.schema, table.name, viewer.role, error)
        return set()


def _deliver(table: Table, hearings: Sequence[_Hearing]) -> None:
    written: dict[tuple[int, str, tuple[str, ...] | None], str] = {}
    for hearing in hearings:
        change, role, select, error = hearing.change, hearing.subscription.viewer.role, hearing.select, hearing.error
        if (known := written.get((id(change), role, select))) is None:
            known = error_payload(table, change.type, error) if error else row_payload(table, change, role, select)
            written[id(change), role, select] = known
        hearing.subscription.deliver(change.type, known, hearing.ids)
