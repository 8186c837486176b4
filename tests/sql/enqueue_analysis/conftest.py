"""A type of job without rules of its own."""

import pytest

from tests.sql.factories import Queue


@pytest.fixture
def queue(queue: Queue) -> Queue:
    queue.new_type("plain")
    return queue
