"""Connections that take the statements of a transaction at once: psycopg's own pipeline waits for each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import errors, generators
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

Statement = tuple[str, Sequence[object]]
_Typed = tuple[str, tuple[int, ...]]

_MOST_PREPARED = 100


class Connection(psycopg.AsyncConnection[Any]):
    """The first hundred different statements are prepared once, all others are parsed each time."""

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn)
        self._numbers = count()
        self._names: dict[_Typed, bytes] = {}

    async def exchange(self, statements: Sequence[Statement], results: list[PGresult]) -> None:
        """Adds the results to `results` up to the first error, which is raised. Places for values are numbered."""
        sent = self._send(statements)
        answers: list[PGresult] = []
        lost: psycopg.OperationalError | None = None
        try:
            await self.wait(_finish(self.pgconn, answers))
        except psycopg.OperationalError as error:
            lost = error
        for prepared, answer in zip(sent, answers, strict=False):
            if answer.status == ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(answer) from lost
            if prepared is None:
                results.append(answer)
            else:
                self._names |= prepared
        if lost is not None:
            raise lost

    def _send(self, statements: Sequence[Statement]) -> list[dict[_Typed, bytes] | None]:
        """What each message prepares under which name; None for one that runs a statement."""
        dumped = [(text, *_dump(self, values)) for text, values in statements]
        sent: list[dict[_Typed, bytes] | None] = []
        self.pgconn.enter_pipeline_mode()
        for text, types, parameters, formats in dumped:
            if (name := self._names.get((text, types))) is None:
                is_kept = len(self._names) < _MOST_PREPARED
                name = b"rest_%d" % next(self._numbers) if is_kept else b""
                self.pgconn.send_prepare(name, text.encode(), types)
                sent.append({(text, types): name} if is_kept else {})
            self.pgconn.send_query_prepared(name, parameters, formats)
            sent.append(None)
        self.pgconn.pipeline_sync()
        return sent


def _dump(connection: Connection, values: Sequence[object]) -> tuple[tuple[int, ...], Sequence[Any], Sequence[Any]]:
    """Their types, themselves and their formats, as psycopg's cursors send them."""
    transformer = Transformer(connection)
    parameters = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
    return tuple(transformer.types or ()), parameters, list(transformer.formats or ())


def _finish(pgconn: PGconn, answers: list[PGresult]) -> PQGen[None]:
    yield from generators.send(pgconn)
    while found := (yield from generators.fetch_many(pgconn)):
        if found[0].status == ExecStatus.PIPELINE_SYNC:
            pgconn.exit_pipeline_mode()
            return
        answers += found
    raise psycopg.OperationalError("the connection was lost")
