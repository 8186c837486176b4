"""What operators may do: GET says what will happen and asks, POST does it. Each one is a function of the queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis_worker.dashboard.filters import BadRequestError, JobFilter, whole_number
from analysis_worker.dashboard.queries import Queries
from analysis_worker.dashboard.views import JOB_ID, NotFoundError, Visit

TYPE = "{type:[a-z][a-z0-9_]{0,62}}"
_JOB_PAGE = "/jobs/{job_id}"
_MOST_CONCURRENT = 100_000
_MOST_REPLAYED = 1000
_MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Question:
    """Asked before anything is done.

    `fields` name inputs of confirm.html; `reason!` has to be given. `hidden` comes back with the answer.
    """

    text: str
    back: str
    fields: tuple[str, ...] = ("reason",)
    values: Mapping[str, Any] | None = None
    hidden: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """`ask` describes it, `arguments` reads the form; `function` is the queue's.

    `note`, a key of NOTES, is shown on the page `back` afterwards; without one the answer itself is shown.
    """

    title: str
    function: str
    ask: Callable[[Visit], Awaitable[Question]]
    arguments: Callable[[Visit, Mapping[str, str]], Mapping[str, Any]]
    back: str
    note: str | None
    is_danger: bool = False


NOTES = {
    "retried": "The job runs again from its first attempt.",
    "cancelled": "The job is cancelled.",
    "paused": "The type is paused: its jobs are neither enqueued nor claimed.",
    "resumed": "The type is resumed: its jobs are enqueued and claimed again.",
    "concurrency": "The limits hold from the next claim on.",
    "replayed": "The jobs run again from their first attempt.",
    "unchanged": "Nothing was changed: it was so already.",
}
_CHANGED = ("replayed", "cancelled", "changed")


def outcome(action: Action, answer: Mapping[str, Any]) -> str:
    """The note for what the queue answered."""
    assert action.note is not None
    return action.note if any(answer.get(key) for key in _CHANGED) else "unchanged"


async def _job(visit: Visit) -> dict[str, Any]:
    found = await visit.queries.job(visit.place["job_id"])
    if found is None:
        raise NotFoundError("There is no such job.")
    return found[0]


def _asking_about_job(text: str, *fields: str) -> Callable[[Visit], Awaitable[Question]]:
    async def ask(visit: Visit) -> Question:
        job = await _job(visit)
        return Question(text.format(**job), f"/jobs/{job['id']}", fields)

    return ask


def _asking_about_type(text: str, *fields: str) -> Callable[[Visit], Awaitable[Question]]:
    async def ask(visit: Visit) -> Question:
        kind = await _type(visit.queries, visit.place["type"])
        return Question(text.format(**kind), "/types", fields, kind)

    return ask


async def _type(queries: Queries, name: str) -> dict[str, Any]:
    found = [kind for kind in await queries.types() if kind["type"] == name]
    if not found:
        raise NotFoundError("There is no such type.")
    return found[0]


async def _ask_replay(visit: Visit) -> Question:
    wanted = JobFilter.read(visit.query)
    if not wanted.is_replayable:
        raise BadRequestError("Only failed or cancelled jobs of all users can be replayed by filter.")
    counted = await visit.queries.replayable(wanted.replay_arguments())
    matching = f"{'more than ' if counted['and_more'] else ''}{counted['matching']:,}"
    kind = f" of type {wanted.type}" if wanted.type else ""
    code = f" with the error code {wanted.error_code}" if wanted.error_code else ""
    since = f" since {wanted.since}" if wanted.since else ""
    text = (
        f"{matching} {wanted.status} jobs{kind}{code}{since} match. Those that ended first run again, from their first "
        "attempt; their users are not asked."
    )
    hidden = {name: value for name, value in wanted.replay_arguments().items() if value is not None}
    return Question(text, f"/jobs?{wanted}", ("max_jobs",), {"max_jobs": min(100, counted["matching"]) or 1}, hidden)


def _reason(form: Mapping[str, str]) -> str | None:
    reason = form.get("reason", "").strip() or None
    if reason and len(reason) > _MOST_REASON:
        raise BadRequestError(f"a reason has {_MOST_REASON} characters at most")
    return reason


def _job_id(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    del form
    return {"job_id": visit.place["job_id"]}


def _job_and_reason(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    return {"job_id": visit.place["job_id"], "reason": _reason(form)}


def _look(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    arguments = _job_and_reason(visit, form)
    if arguments["reason"] is None:
        raise BadRequestError("say why; it is put on record")
    return arguments


def _type_and_reason(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    return {"type": visit.place["type"], "reason": _reason(form)}


def _limits(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    names = ("concurrency", "concurrency_per_user")
    limits = {name: whole_number(form, name, _MOST_CONCURRENT) for name in names}
    return _type_and_reason(visit, form) | limits


def _replay(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    del visit
    wanted = JobFilter.read(form)
    if not wanted.is_replayable:
        raise BadRequestError("status must be failed or cancelled")
    most = whole_number(form, "max_jobs", _MOST_REPLAYED)
    if most is None:
        raise BadRequestError("say how many jobs at most")
    return wanted.replay_arguments() | {"max_jobs": most}


ACTIONS: Mapping[str, Action] = {
    f"/jobs/{JOB_ID}/retry": Action(
        "Retry the job",
        "replay_job",
        _asking_about_job("The {status} {type} job runs again, with all its attempts before it."),
        _job_id,
        _JOB_PAGE,
        "retried",
    ),
    f"/jobs/{JOB_ID}/cancel": Action(
        "Cancel the job",
        "cancel_job",
        _asking_about_job(
            "The {status} {type} job is cancelled now, for its user, too. What a worker does for it is thrown away.",
            "reason",
        ),
        _job_and_reason,
        _JOB_PAGE,
        "cancelled",
        is_danger=True,
    ),
    f"/jobs/{JOB_ID}/contents": Action(
        "Show the contents",
        "reveal_job",
        _asking_about_job(
            "The input and the result of the {type} job are somebody's health data. That you looked at them is put on "
            "record, with your name and the reason.",
            "reason!",
        ),
        _look,
        _JOB_PAGE,
        None,
    ),
    f"/types/{TYPE}/pause": Action(
        "Pause the type",
        "pause_type",
        _asking_about_type(
            "No {type} job is enqueued or claimed any more. Running ones go on, pending ones wait.", "reason"
        ),
        _type_and_reason,
        "/types",
        "paused",
        is_danger=True,
    ),
    f"/types/{TYPE}/resume": Action(
        "Resume the type",
        "resume_type",
        _asking_about_type("{type} jobs are enqueued and claimed again.", "reason"),
        _type_and_reason,
        "/types",
        "resumed",
    ),
    f"/types/{TYPE}/concurrency": Action(
        "Change the concurrency",
        "set_type_concurrency",
        _asking_about_type(
            "How many {type} jobs run at a time, from the next claim on. Running jobs go on. Empty: any number.",
            "concurrency",
            "concurrency_per_user",
            "reason",
        ),
        _limits,
        "/types",
        "concurrency",
    ),
    "/replay": Action("Replay jobs", "replay_jobs", _ask_replay, _replay, "/jobs", "replayed"),
}
