"""The recordings of broadcasts from the database, played against our server."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from supabase_local.realtime import RealtimeOptions
from tests.contract.realtime.replay import Case, Replay
from tests.contract.realtime.server import connected, running_realtime
from tests.contract.realtime.transcript import RECORDINGS, Entry, read_transcript, schema
from tests.databases import Databases

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings of the real server are not in this checkout"),
]

_OWNER = "11111111-1111-4111-8111-111111111111"
_TOPIC = f"user:{_OWNER}"
_LATENCY_SECTION_MS = 45149.62
"""From here on the recording measures: what it sends is told by nothing but what arrived, and its client left early."""

_POLICY = """
set role postgres;
create policy own_topic on realtime.messages for select to authenticated
    using (realtime.topic() = 'user:' || auth.uid() and extension = 'broadcast')
"""
_TRIGGER = """
set role postgres;
create function public.tell() returns trigger language plpgsql security definer set search_path = '' as $$ begin
    perform realtime.broadcast_changes(
        'user:' || coalesce(new.user_id, old.user_id), tg_op, tg_op, tg_table_name, tg_table_schema, new, old
    );
    return null;
end $$;
create trigger tell after insert or update or delete on public.analysis_jobs for each row execute function public.tell()
"""
_BURST = f"""
do $$ begin
    for i in 0..9 loop perform realtime.send(jsonb_build_object('i', i), 'burst', '{_TOPIC}'); end loop;
end $$
"""
_ORDER_BURST = """
update realtime.messages
set inserted_at = inserted_at + array_position('{3,2,1,0,6,9,8,7,5,4}', (payload ->> 'i')::int) * interval '1 us'
where event = 'burst'
"""


def _send(payload: str, *, private: bool = True) -> str:
    return f"select realtime.send('{payload}', 'job_update', '{_TOPIC}', {private})"


def _insert(row: str, created_at: str, payload: str) -> str:
    columns = "(id, user_id, type, status, payload, created_at)"
    values = f"'{row}', '{_OWNER}', 'j', 'pending', {payload}, '{created_at}'"
    return f"insert into public.analysis_jobs {columns} values ({values})"


_ROW = "95623e1a-37c1-4efd-834f-9fd552e77ee3"
_STEPS: dict[str, Sequence[str]] = {
    "2. create policy: authenticated may SELECT realtime.messages where realtime.topic() = 'user:'||auth.uid()"
    "  (extension broadcast)": [_POLICY],
    "3. realtime.send(payload,event,topic,private=true)": [_send('{"n": 1}')],
    "realtime.send with private=false": [_send('{"n": 2}', private=False)],
    "realtime.send payload with its own id": [_send('{"n": 3, "id": "mine"}')],
    "inside a transaction that rolls back (expect nothing)": [f"begin; {_send('{}')}; rollback"],
    "10 messages in one transaction: order, latency": [_BURST],
    "4. trigger with realtime.broadcast_changes on analysis_jobs": [_TRIGGER],
    "INSERT committed": [_insert(_ROW, "2026-11-22T05:06:57.265011Z", """'{"a": 1}'""")],
    "UPDATE committed": [f"update public.analysis_jobs set status = 'running' where id = '{_ROW}'"],
    "DELETE committed": [f"delete from public.analysis_jobs where id = '{_ROW}'"],
    "insert row of U2 (U1 must see nothing)": [
        "insert into public.analysis_jobs (user_id) values ('22222222-2222-4222-8222-222222222222')"
    ],
    "big payload 3.5 MB through broadcast_changes": [
        _insert(
            "52e2bfac-93d1-441e-95d5-131d3c9b62a4",
            "2026-11-22T05:07:01.304687Z",
            "jsonb_build_object('b', repeat('x', 3500000))",
        )
    ],
    "1.2 MB payload": [
        _insert(
            "956d35fd-3e67-449b-be55-9619b92967b4",
            "2026-11-22T05:07:03.414221Z",
            "jsonb_build_object('b', repeat('x', 1200000))",
        )
    ],
    # Messages of one transaction are of one moment, and replayed in an order that chance gave the recording.
    "6. replay: join with config.broadcast.replay {since: 5 minutes ago, limit 5}": [_ORDER_BURST],
    "8. private channel WITH postgres_changes too": ["drop trigger tell on public.analysis_jobs"],
}


async def test_broadcasts_from_the_database_are_as_on_the_real_server(databases: Databases) -> None:
    entries = read_transcript("j_broadcast_from_db")
    measured = {entry.t_ms for entry in entries if entry.t_ms >= _LATENCY_SECTION_MS and entry.direction != "close"}
    to_both_versions = next(entry.t_ms for entry in entries if '"n": 9' in entry.text)
    case = Case(
        options=RealtimeOptions(join_refusal_delay_s=0.05),
        steps=_STEPS,
        steps_before={to_both_versions: [_send('{"n": 9}')]},
        skipped=frozenset(measured),
    )
    async with running_realtime(databases, schema(), case.options) as server:
        await Replay(server, case, entries).run()


@pytest.mark.parametrize("name", ["j2_broadcast_cold_join_0", "j2_broadcast_cold_join_1"])
async def test_what_was_heard_after_a_cold_join_is_heard(databases: Databases, name: str) -> None:
    """What was lost before it is not played: our server is made warm first, and then tells so at once."""
    entries = read_transcript(name)
    case = Case(steps_before={entry.t_ms: [_send_again(entry)] for entry in entries if '"event":"e"' in entry.text})
    async with running_realtime(databases, schema(), case.options) as server:
        async with connected(server) as first:
            await first.subscribe(table="plain_jobs")
        await Replay(server, case, entries).run()


def _send_again(received: Entry) -> str:
    message = json.loads(received.text)["payload"]
    number = message["payload"]["n"]
    return f"select realtime.send('{{\"n\": {number}}}', 'e', 'cold')"
