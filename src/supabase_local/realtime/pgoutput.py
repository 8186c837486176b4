"""Decoder for PostgreSQL's `pgoutput` stream, protocol version 1, values as text. Sans-I/O: bytes in, messages out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class DecodeError(ValueError):
    """The bytes are no pgoutput message, or one that does not fit those before it."""


class Absent(Enum):
    """What stands in a row for an unchanged out-of-line value: the server does not send it."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Absent.UNCHANGED
Cell = str | None | Absent
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    in_identity: bool


@dataclass(frozen=True, slots=True)
class Relation:
    oid: int
    schema: str
    table: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    xid: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    pass


@dataclass(frozen=True, slots=True)
class Insert:
    relation: Relation
    new: Row


@dataclass(frozen=True, slots=True)
class Update:
    """`old` is there only where the identity changed or the replica identity is full."""

    relation: Relation
    old: Row | None
    new: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """`old` holds the identity columns; all others are null unless the replica identity is full."""

    relation: Relation
    old: Row


Change = Insert | Update | Delete
Message = Begin | Commit | Insert | Update | Delete


class Decoder:
    """Keeps the relations that the stream has described so far."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}

    def feed(self, data: bytes) -> Message | None:
        """The message in `data`, or None for one that carries no row: relation, type, origin, truncate, logical."""
        reader = _Reader(data)
        match reader.byte():
            case b"B":
                reader.skip(8)
                committed_at = _commit_time(reader.int64())
                return Begin(reader.uint32(), committed_at)
            case b"C":
                return Commit()
            case b"R":
                relation = _read_relation(reader)
                self._relations[relation.oid] = relation
                return None
            case b"I" | b"U" | b"D" as kind:
                return self._read_change(kind, reader)
            case b"Y" | b"O" | b"T" | b"M":
                return None
            case other:
                raise DecodeError(f"unknown message {other!r}")

    def _read_change(self, kind: bytes, reader: _Reader) -> Change:
        relation = self._relations.get(oid := reader.uint32())
        if relation is None:
            raise DecodeError(f"relation {oid} was never described")
        tuples: dict[bytes, Row] = {}
        while not reader.at_end:
            kind_of_row = reader.byte()
            tuples[kind_of_row] = _read_row(reader, len(relation.columns))
        new, old = tuples.get(b"N"), tuples.get(b"K", tuples.get(b"O"))
        match kind, old, new:
            case b"I", None, tuple() as row:
                return Insert(relation, row)
            case b"U", _, tuple() as row:
                return Update(relation, old, row)
            case b"D", tuple() as row, None:
                return Delete(relation, row)
            case _:
                raise DecodeError(f"{kind!r} with tuples {sorted(tuples)}")


def _commit_time(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise DecodeError(f"no such time: {microseconds}") from error


def _read_relation(reader: _Reader) -> Relation:
    oid, schema, table = reader.uint32(), reader.text0(), reader.text0()
    reader.skip(1)  # replica identity; the flags of the columns say it better
    columns = []
    for _ in range(reader.uint16()):
        in_identity = bool(reader.byte()[0] & 1)
        columns.append(Column(reader.text0(), in_identity))
        reader.skip(8)  # type and its modifier: the catalogue is asked instead
    return Relation(oid, schema or "pg_catalog", table, tuple(columns))


def _read_row(reader: _Reader, expected: int) -> Row:
    if (count := reader.uint16()) != expected:
        raise DecodeError(f"a row of {count} where the relation has {expected} columns")
    return tuple(_read_cell(reader) for _ in range(count))


def _read_cell(reader: _Reader) -> Cell:
    match reader.byte():
        case b"n":
            return None
        case b"u":
            return UNCHANGED
        case b"t":
            return reader.text(reader.uint32())
        case other:
            raise DecodeError(f"unknown kind of value {other!r}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def skip(self, count: int) -> None:
        self._take(count)

    def byte(self) -> bytes:
        return self._take(1)

    def uint16(self) -> int:
        return int.from_bytes(self._take(2), "big")

    def uint32(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def int64(self) -> int:
        return int.from_bytes(self._take(8), "big", signed=True)

    def text(self, size: int) -> str:
        return _utf8(self._take(size))

    def text0(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise DecodeError("a name without an end")
        raw = self._take(end - self._at)
        self.skip(1)
        return _utf8(raw)

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise DecodeError(f"{count} bytes wanted, {len(self._data) - self._at} left")
        taken, self._at = self._data[self._at : end], end
        return taken


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(str(error)) from error
