"""The other end of `processes.py`: `python -m analysis_worker.isolated module:function module:Model`.

Reads frames, calls the function, answers frames. It ends when its input ends, so it never outlives the worker.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel

from analysis_worker.errors import DeferredError, HandlerError, PermanentError, RetryableError


class Answer(BaseModel):
    """A result, or what the function raised."""

    kind: Literal["result", "permanent", "retryable", "deferred", "unexpected"]
    result: Any = None
    code: str = ""
    message: str = ""
    delay_seconds: float | None = None

    def unwrap(self) -> Any:
        match self.kind:
            case "result":
                return self.result
            case "permanent":
                raise PermanentError(self.code, self.message)
            case "retryable":
                raise RetryableError(self.code, self.message, self.delay_seconds)
            case "deferred":
                raise DeferredError(self.code, self.message, self.delay_seconds or 0.0)
            case "unexpected":
                raise RuntimeError(f"{self.code} in the process of the analysis")


def answer_of(function: Callable[[Any], BaseModel], argument: BaseModel) -> Answer:
    try:
        return Answer(kind="result", result=function(argument).model_dump(mode="json"))
    except DeferredError as error:
        return Answer(kind="deferred", code=error.code, message=error.message, delay_seconds=error.delay_seconds)
    except RetryableError as error:
        return Answer(kind="retryable", code=error.code, message=error.message, delay_seconds=error.delay_seconds)
    except HandlerError as error:
        return Answer(kind="permanent", code=error.code, message=error.message)
    except Exception as error:  # noqa: BLE001 - the border between the engine and other people's code
        traceback.print_exc()
        return Answer(kind="unexpected", code=type(error).__name__)


def serve(function: Callable[[Any], BaseModel], model: type[BaseModel]) -> None:
    """Whatever the function prints goes to standard error, not between the frames."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while body := _next_frame(sys.stdin.buffer):
        answer = answer_of(function, model.model_validate_json(body)).model_dump_json().encode()
        answers.write(len(answer).to_bytes(4, "big") + answer)
        answers.flush()


def _next_frame(source: BinaryIO) -> bytes:
    size = int.from_bytes(source.read(4), "big")
    return source.read(size)


def _find(name: str) -> Any:
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


if __name__ == "__main__":
    serve(_find(sys.argv[1]), _find(sys.argv[2]))
