"""The decoder of the replication stream takes anything: a message, nothing, or a clean error."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supabase_local.realtime.pgoutput import UNCHANGED, Column, DecodeError, Decoder, Delete, Insert, Relation, Update

_RELATION = b"R" + struct.pack("!I", 7) + b"public\0jobs\0d" + struct.pack("!H", 2)
_RELATION += b"\1id\0" + struct.pack("!Ii", 23, -1) + b"\0note\0" + struct.pack("!Ii", 25, -1)
_ROW = struct.pack("!H", 2) + b"t" + struct.pack("!I", 2) + b"42"
_DESCRIBED = Relation(7, "public", "jobs", (Column("id", in_identity=True), Column("note", in_identity=False)))
_KINDS = st.sampled_from([b"B", b"C", b"R", b"I", b"U", b"D", b"T", b"Y", b"O", b"M", b"S"])


def _decoder() -> Decoder:
    decoder = Decoder()
    assert decoder.feed(_RELATION) is None
    return decoder


@given(st.binary())
def test_arbitrary_bytes_are_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        _decoder().feed(data)


@given(_KINDS, st.binary())
def test_arbitrary_contents_of_known_messages_are_decoded_or_refused(kind: bytes, rest: bytes) -> None:
    with contextlib.suppress(DecodeError):
        _decoder().feed(kind + rest)


@given(st.integers(0, len(_ROW)))
def test_a_message_cut_short_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        _decoder().feed(b"I" + struct.pack("!I", 7) + b"N" + _ROW[:size])


def test_null_and_unchanged_values_are_told_apart() -> None:
    head = struct.pack("!I", 7)
    decoder = _decoder()
    assert decoder.feed(b"I" + head + b"N" + _ROW + b"n") == Insert(_DESCRIBED, ("42", None))
    assert decoder.feed(b"U" + head + b"N" + _ROW + b"u") == Update(_DESCRIBED, None, ("42", UNCHANGED))
    assert decoder.feed(b"D" + head + b"K" + _ROW + b"n") == Delete(_DESCRIBED, ("42", None))


def test_rows_of_an_undescribed_relation_are_refused() -> None:
    with pytest.raises(DecodeError, match="never described"):
        Decoder().feed(b"I" + struct.pack("!I", 8) + b"N" + _ROW + b"n")
