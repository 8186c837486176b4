"""What can go wrong at a provider, by what to do about it. Cancellation is anyio's and has no error here.

Messages are for logs: they hold neither keys nor anything that users or models wrote.
"""

from __future__ import annotations

from analysis_worker import PermanentError, RetryableError


class ProviderError(Exception):
    """This provider did not answer this call: the next may."""


class RateLimitedError(ProviderError):
    """429: the provider is well and this model has had enough. `after`: seconds until it wants to be asked again."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class ProviderDownError(ProviderError):
    """Transport, timeout, 5xx: what the circuit breaker counts."""


class ConnectionLostError(ProviderDownError):
    """Worth one reconnect: a pooled connection may have been stale."""


class CircuitOpenError(ProviderError):
    """Not asked at all. `after`: seconds until the next probe."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class OutOfTimeError(ProviderError):
    """The job's time ran out: says nothing about the provider."""


class RefusedError(ProviderError):
    """A wrong key, an unknown model, a request it does not take: asking again changes nothing."""


class UnusableAnswerError(ProviderError):
    """It answered, but not in the form asked for."""


class ProviderNotConfiguredError(PermanentError):
    """No provider for this purpose. Its own class, because some analyses can do without."""


class NoUsableAnswerError(RetryableError):
    """Every provider answered, none in the form asked for. Its own class for the same reason."""
