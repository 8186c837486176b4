"""Every recorded token is accepted or refused as the real server did it."""

import pytest

from supabase_local.tokens import TokenError, verify
from tests.contract.rest.recorded_tokens import SECRET, token
from tests.contract.rest.recordings import Case, parameters, read_recording
from tests.contract.rest.server import Replayed

FILE = "c_auth.jsonl"
CASES = read_recording(FILE)


@pytest.mark.parametrize("case", parameters(CASES))
def test_token_is_treated_as_recorded(replayed: Replayed, case: Case) -> None:
    assert case.answer is not None
    assert replayed(FILE, case).comparable() == case.answer.comparable()


@pytest.mark.skipif(not CASES, reason="no recordings beside the repository")
def test_only_the_header_that_no_client_could_send_has_no_recorded_answer() -> None:
    assert [case.name for case in CASES if case.answer is None] == ["empty bearer"]


def test_token_is_good_for_thirty_seconds_after_its_end() -> None:
    ending = token("anon", exp=1000, iat=900)
    assert verify(ending, SECRET, now=1030)["role"] == "anon"
    with pytest.raises(TokenError) as refused:
        verify(ending, SECRET, now=1031)
    assert (refused.value.kind, refused.value.reason) == ("unacceptable", "JWT expired")


def test_time_that_is_null_is_no_time() -> None:
    assert verify(token("anon", exp=None, nbf=None, iat=None), SECRET, now=0)["role"] == "anon"


@pytest.mark.parametrize("text", ["", ".", "..", "a.b", "a.b.c.d", "é.é.é", "eyJhbGciOiJIUzI1NiJ9..x", "W10.W10.W10"])
def test_what_is_no_token_is_undecodable(text: str) -> None:
    with pytest.raises(TokenError) as refused:
        verify(text, SECRET, now=0)
    assert refused.value.kind == "undecodable"
