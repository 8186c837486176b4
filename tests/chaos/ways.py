"""How workers reach the queue: over HTTP, or next to its database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from psycopg.conninfo import make_conninfo

from tests.chaos.stack import ChaosStack
from tests.databases import as_worker

BOTH_WAYS = pytest.mark.parametrize("way", ["http", "direct"], indirect=True)


@dataclass(frozen=True, slots=True)
class Way:
    """`port` is where the stack is for them, and `variables` what they are told where something stands in front of it.

    They log how they hear of jobs under the names `listeners`; `mark` goes over every connection on which they do.
    """

    port: int
    variables: Callable[[str, int], Mapping[str, str]]
    listeners: tuple[str, ...]
    mark: bytes


def over_http(stack: ChaosStack) -> Way:
    def variables(address: str, port: int) -> Mapping[str, str]:
        return {"SUPABASE_URL": f"http://{address}:{port}"}

    return Way(stack.running.gateway_port, variables, ("doorbell", "realtime"), b"GET /realtime/v1/websocket")


def next_to_database(stack: ChaosStack) -> Way:
    login = as_worker(stack.variables.db_url)

    def variables(address: str, port: int) -> Mapping[str, str]:
        url = make_conninfo(login, host=address, port=port)
        return {"SUPABASE_URL": stack.variables.api_url, "ANALYSIS_WORKER_DATABASE_URL": url}

    return Way(stack.running.postgres_port, variables, ("listen",), b"listen analysis_jobs")


NOTIFICATION = b"A"
"""How a message of PostgreSQL begins that nobody asked for: a notification to a session at rest."""

WAYS: Mapping[str, Callable[[ChaosStack], Way]] = {"http": over_http, "direct": next_to_database}
