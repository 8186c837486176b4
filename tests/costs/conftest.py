"""The databases of the SQL tests."""

from tests.sql.conftest import queue, shared_queue

__all__ = ["queue", "shared_queue"]
