"""One attempt: parse the input, call the handler, name the outcome. Knows nothing of leases and queues."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from analysis_worker.context import JobContext
from analysis_worker.handlers import AnyHandler
from analysis_worker.outcomes import Failed, Outcome
from analysis_worker.processes import Processes
from analysis_worker.settle import (
    outcome_of_error,
    outcome_of_invalid_input,
    outcome_of_invalid_result,
    outcome_of_result,
)


async def run_attempt(handler: AnyHandler, context: JobContext, processes: Processes) -> Outcome:
    """Never raises but for cancellation."""
    try:
        parsed: BaseModel = handler.input.model_validate(context.job.input)
    except ValidationError as error:
        return outcome_of_invalid_input(error)
    try:
        result = await handler.call(parsed, context, processes)
    except Exception as error:  # noqa: BLE001 - the border between the engine and other people's code
        outcome = outcome_of_error(error)
        if isinstance(outcome, Failed) and outcome.code == "internal_error":
            context.log.opt(exception=error).error("handler raised")
        return outcome
    try:
        return outcome_of_result(handler.result.model_validate(result))
    except ValidationError as error:
        return outcome_of_invalid_result(error)
