"""The recordings of the real server, played against ours."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from supabase_local.realtime import RealtimeOptions
from tests.contract.realtime.replay import Case, Replay
from tests.contract.realtime.server import SECRET, running_realtime, token
from tests.contract.realtime.transcript import RECORDINGS, read_transcript, schema
from tests.databases import Databases

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings of the real server are not in this checkout"),
]

_WRONG_SECRET = "a-secret-that-the-server-does-not-know-at-all"
_ALL_OF_ONE_TABLE = {"id": 81783920, "event": "*", "schema": "public", "table": "analysis_jobs"}
_SUBSCRIBED = {"message": "Subscribed to PostgreSQL", "status": "ok", "extension": "postgres_changes"}


def _answer(ref: int | None, event: str, payload: dict[str, Any]) -> str:
    return json.dumps({"ref": ref and str(ref), "event": event, "payload": payload, "topic": "realtime:e"})


_FULL_CYCLE = Case(
    steps={
        "TRUNCATE plain_jobs (nothing expected)": ["truncate public.plain_jobs"],
        "INSERT after leave (nothing expected)": ["insert into public.analysis_jobs (type) values ('unheard')"],
    }
)
_CASES = {
    "a_full_cycle_vsn1": _FULL_CYCLE,
    "a_full_cycle_vsn2": _FULL_CYCLE,
    "b_bad_tables": Case(
        options=RealtimeOptions(join_refusal_delay_s=0.05, publication_check_s=0.2),
        steps={
            "then: add table to publication; does the earlier errored channel recover?"
            " waiting 75 s (CHECK_OIDS 60 s)": ["alter publication supabase_realtime add table public.not_published"]
        },
    ),
    "c_bad_tokens": Case(
        options=RealtimeOptions(join_refusal_delay_s=0.05, handshake_refusal_delay_s=0.05),
        keys={
            "no apikey": None,
            "garbage apikey": "garbage",
            "apikey signed with the wrong secret": token(secret=_WRONG_SECRET, role="anon"),
            "expired apikey": token(-10, role="anon"),
            "apikey without exp": jwt.encode({"role": "anon"}, SECRET),
            "apikey without role": token(sub="11111111-1111-4111-8111-111111111111"),
            "apikey = sb_secret key (not translated by Kong)": "sb_secret_abc",
        },
        secrets={"apikey ok, join token wrong secret": _WRONG_SECRET},
        skipped=frozenset({53586.89, 55594.62}),  # another tenant's host name: there is one tenant here
    ),
    "d_rls_and_filters": Case(
        steps={
            # The real server polls, so that rows committed just before a subscription are heard; ours come after it.
            "INSERT own row (U1, pending)": [
                "row cda7497a-9217-4696-8f6c-8463eb226a6d",
                "row c2f847c5-ff09-49e8-b252-7855e3fea84a",
                "row c3d35214-2696-4e6f-bfc0-69f1091bd60a",
            ],
            "revoke select from authenticated; INSERT own": [
                "revoke select on public.analysis_jobs from authenticated",
                "row 5c196f5f-9a93-4550-92e1-8213636ef62a",
            ],
            "column grant only (id,status); INSERT own": [
                "grant select (id, status, user_id) on public.analysis_jobs to authenticated"
            ],
        },
    ),
    "e_large_payload": Case(
        unrecorded=[
            _answer(1, "phx_reply", {"status": "ok", "response": {"postgres_changes": [_ALL_OF_ONE_TABLE]}}),
            _answer(None, "system", _SUBSCRIBED | {"channel": "e"}),
            _answer(None, "presence_state", {}),
        ]
    ),
    "f_heartbeat_token": Case(
        options=RealtimeOptions(refresh_delay_s=0.4, idle_timeout_s=2.5),
        lifetimes={"8": 1.6},
        skipped=frozenset({81853.86}),  # caused by the publication change of b, recorded at the same time
        closed_by_server=True,
        steps={
            "insert U1 (expect nothing), insert U2 (expect event)": [
                "insert into public.analysis_jobs (user_id) values ('11111111-1111-4111-8111-111111111111')"
            ]
        },
    ),
}


@pytest.mark.parametrize("name", _CASES)
async def test_the_server_answers_as_the_real_one_did(databases: Databases, name: str) -> None:
    case = _CASES[name]
    async with running_realtime(databases, schema(), case.options) as server:
        await Replay(server, case, read_transcript(name)).run()
