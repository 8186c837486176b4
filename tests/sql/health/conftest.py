"""Flags that the next test finds as the migrations leave them."""

from collections.abc import Iterator

import pytest

from tests.sql.factories import Queue
from tests.sql.flags.states import restore


@pytest.fixture
def queue(queue: Queue) -> Iterator[Queue]:
    restore(queue)
    yield queue
    restore(queue)
