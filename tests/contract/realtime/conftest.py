"""Failures in the replay show what differs."""

import pytest

pytest.register_assert_rewrite("tests.contract.realtime.replay", "tests.contract.realtime.transcript")
