"""From what a handler did to what the queue is told. Pure."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ValidationError

from analysis_worker.errors import DeferredError, HandlerError, PermanentError, RetryableError, StoreRejectedError
from analysis_worker.outcomes import Completed, Deferred, Failed, Outcome, Released, Usage

_FIRST_PROBLEMS = 3


def outcome_of_result(result: BaseModel) -> Outcome:
    return Completed(result.model_dump(mode="json"))


def outcome_of_error(error: Exception) -> Outcome:
    """An error that no handler meant is retryable, and its text stays in the log: it may hold anything."""
    match error:
        case DeferredError():
            return Deferred(error.delay_seconds, error.code)
        case RetryableError():
            return Failed(error.code, error.message, retryable=True, delay_seconds=error.delay_seconds)
        case PermanentError() | HandlerError():
            return Failed(error.code, error.message, retryable=False)
        case ExceptionGroup() if len(error.exceptions) == 1:
            return outcome_of_error(error.exceptions[0])
        case _:
            return Failed("internal_error", "The analysis failed unexpectedly.", retryable=True)


def outcome_of_timeout(timeout_seconds: float) -> Outcome:
    return Failed("deadline_exceeded", f"The analysis took longer than {timeout_seconds:g} s.", retryable=True)


def outcome_of_invalid_input(error: ValidationError) -> Outcome:
    return Failed("invalid_input", problems_in(error), retryable=False)


def outcome_of_invalid_result(error: ValidationError) -> Outcome:
    return Failed("invalid_result", problems_in(error), retryable=True)


def outcome_of_refused_result(error: StoreRejectedError) -> Outcome:
    """The queue cannot store the result (too large, a character PostgreSQL has no room for); nor could it next time."""
    return Failed("result_refused", f"The result could not be stored ({error.code}).", retryable=False)


def with_usage(outcome: Outcome, usage: Usage | None) -> Outcome:
    """The outcome and what came before it. A released attempt is as if it had not been."""
    return outcome if usage is None or isinstance(outcome, Released) else replace(outcome, usage=usage)


def problems_in(error: ValidationError) -> str:
    """The first problems, one line, without the values: they may be anybody's health."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'value'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)[:_FIRST_PROBLEMS]
    )
