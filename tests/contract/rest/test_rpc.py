"""Every recorded call of a function is answered as the real server answered it."""

import json

import pytest

from tests.contract.rest.recordings import Case, parameters, read_recording
from tests.contract.rest.server import Replayed

FILE = "a_rpc.jsonl"
CASES = read_recording(FILE)


@pytest.mark.parametrize("case", parameters(CASES))
def test_call_is_answered_as_recorded(replayed: Replayed, case: Case) -> None:
    assert case.answer is not None
    got, recorded = replayed(FILE, case).comparable(), case.answer.comparable()
    assert (got.status, got.reason, got.headers) == (recorded.status, recorded.reason, recorded.headers)
    match case.path:
        case "/rpc/req_headers":  # the real server repeats them in no order
            assert json.loads(got.body) == json.loads(recorded.body)
        case "/rpc/txid":  # a counter of the whole server
            assert got.body.isdigit()
        case _:
            assert got.body == recorded.body


@pytest.mark.skipif(not CASES, reason="no recordings beside the repository")
def test_only_the_endless_retries_have_no_recorded_answer() -> None:
    unanswered = [case.body for case in CASES if case.answer is None]
    assert unanswered == ['{"code": "40001"}', '{"code": "40P01"}']  # see test_retries.py
