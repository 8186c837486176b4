"""Every error of the engine, in one hierarchy.

What a handler raises says what becomes of its attempt; what a store raises says whether asking again can help.
"""

from __future__ import annotations


class AnalysisError(Exception):
    """Base of everything raised on purpose by this package."""


class ConfigurationError(AnalysisError):
    """An application cannot start as it is configured; the message names the variable, and no secret."""


class HandlerError(AnalysisError):
    """A handler's own verdict. `code` is for programs (snake_case), `message` is shown to the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class PermanentError(HandlerError):
    """Trying again cannot help: the job fails now."""


class RetryableError(HandlerError):
    """The attempt failed; the next may not. `delay_seconds` None leaves the delay to the queue's backoff."""

    def __init__(self, code: str, message: str, delay_seconds: float | None = None) -> None:
        super().__init__(code, message)
        self.delay_seconds = delay_seconds


class DeferredError(HandlerError):
    """Nobody's fault and no attempt spent: run the job again in `delay_seconds` (a provider's cool-down)."""

    def __init__(self, code: str, message: str, delay_seconds: float) -> None:
        super().__init__(code, message)
        self.delay_seconds = delay_seconds


class StoreError(AnalysisError):
    """The queue could not be asked."""


class StoreUnavailableError(StoreError):
    """No answer, or an answer that says nothing: the call may have taken effect. Safe to send again."""


class StoreRejectedError(StoreError):
    """The queue understood and refused. `code` is PostgREST's or PostgreSQL's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
