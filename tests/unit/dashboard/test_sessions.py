"""A cookie is believed as it was given out, by whoever has the secret, until it is over."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

import pytest

from analysis_worker.dashboard.sessions import Identity, Role, Sessions
from analysis_worker.dashboard.throttle import Throttle

VIEWER = Identity("dashboard:viewer-token", Role.VIEWER)


@dataclass(slots=True)
class World:
    now: float = 1000.0
    secret: bytes = b"secret"
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(lambda: self.secret, lambda: self.now, 60)


@pytest.fixture
def world() -> World:
    return World()


def test_a_session_tells_who_somebody_is(world: World) -> None:
    user = Identity("dashboard:ana@example.com", Role.OPERATOR, "some-id")
    session = world.sessions.read(world.sessions.open(user))
    assert session is not None
    assert session.identity == user


def test_a_session_ends(world: World) -> None:
    cookie = world.sessions.open(VIEWER)
    world.now += 59
    assert world.sessions.read(cookie) is not None
    world.now += 1
    assert world.sessions.read(cookie) is None


def test_all_sessions_end_with_their_secret(world: World) -> None:
    cookie = world.sessions.open(VIEWER)
    world.secret = b"another"
    assert world.sessions.read(cookie) is None


def test_what_was_changed_is_not_believed(world: World) -> None:
    body, _, signature = world.sessions.open(VIEWER).partition(".")
    claims = json.loads(base64.urlsafe_b64decode(body))
    claims["identity"]["role"] = "operator"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    assert world.sessions.read(f"{forged}.{signature}") is None


@pytest.mark.parametrize("cookie", ["", ".", "a.b", "ä.ö", "." * 50, "eyJ9.eyJ9"])
def test_what_is_no_cookie_of_ours_is_nobodys(world: World, cookie: str) -> None:
    assert world.sessions.read(cookie) is None


def test_a_form_belongs_to_one_session(world: World) -> None:
    one, other = (world.sessions.read(world.sessions.open(VIEWER)) for _ in range(2))
    assert one is not None
    assert other is not None
    token = world.sessions.form_token(one)
    assert world.sessions.is_from_our_form(one, token)
    assert not world.sessions.is_from_our_form(other, token)
    assert not world.sessions.is_from_our_form(one, "")
    assert not world.sessions.is_from_our_form(one, "ä")


def test_a_place_that_fails_too_often_waits(world: World) -> None:
    throttle = Throttle(3, 60, lambda: world.now)
    for _ in range(3):
        assert throttle.is_open("here")
        throttle.note_failure("here")
        world.now += 10
    assert not throttle.is_open("here")
    assert throttle.is_open("elsewhere")
    world.now += 31
    assert throttle.is_open("here")


def test_many_places_take_a_bounded_memory(world: World) -> None:
    throttle = Throttle(1, 60, lambda: world.now)
    for number in range(5000):
        throttle.note_failure(str(number))
    assert throttle.is_open("0")
    assert not throttle.is_open("4999")
