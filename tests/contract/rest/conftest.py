"""Each recording is replayed once, in its order, because cases change what later ones see."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.contract.rest.recordings import TRUTH, Answer, Case, read_recording
from tests.contract.rest.server import Replayed, recorded_database, replay, serving
from tests.databases import Databases

# Recordings that were taken one after the other on the same database stand together.
_RUNS = (
    ("a_rpc.jsonl", "b_rest.jsonl"),
    ("c_auth.jsonl",),
    ("c_client_supabase_py.jsonl",),
    ("c_client_supabase_js.jsonl",),
)


@pytest.fixture(scope="session")
def replayed(databases: Databases) -> Replayed:
    """What the REST layer answers to a case of a recording."""
    if not TRUTH.exists():
        pytest.skip("no recordings beside the repository")
    answers: dict[tuple[str, ...], dict[tuple[str, int], Answer]] = {}

    def answer(file: str, case: Case) -> Answer:
        run = next(files for files in _RUNS if file in files)
        if run not in answers:
            answers[run] = asyncio.run(_replay_all(databases, run))
        return answers[run][file, case.line]

    return answer


@pytest.fixture
def recorded(databases: Databases) -> Iterator[str]:
    """The name of a fresh database with the recordings' schema."""
    if not TRUTH.exists():
        pytest.skip("no recordings beside the repository")
    with ExitStack() as stack:
        yield stack.enter_context(recorded_database(databases))


async def _replay_all(databases: Databases, files: tuple[str, ...]) -> dict[tuple[str, int], Answer]:
    found = {}
    with recorded_database(databases) as database:
        async with serving(databases, database) as client:
            for file in files:
                for case in read_recording(file):
                    if case.answer is not None:
                        found[file, case.line] = await replay(client, case)
    return found
