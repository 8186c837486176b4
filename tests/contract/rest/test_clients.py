"""What supabase-py and supabase-js send is answered as the real server answered them."""

import pytest

from tests.contract.rest.recordings import Case, parameters, read_recording
from tests.contract.rest.server import Replayed

PYTHON = "c_client_supabase_py.jsonl"
JAVASCRIPT = "c_client_supabase_js.jsonl"


@pytest.mark.parametrize("case", parameters(read_recording(PYTHON)))
def test_supabase_py_is_answered_as_recorded(replayed: Replayed, case: Case) -> None:
    assert case.answer is not None
    assert replayed(PYTHON, case).comparable() == case.answer.comparable()


@pytest.mark.parametrize("case", parameters(read_recording(JAVASCRIPT)))
def test_supabase_js_is_answered_as_recorded(replayed: Replayed, case: Case) -> None:
    assert case.answer is not None
    assert replayed(JAVASCRIPT, case).comparable() == case.answer.comparable()
