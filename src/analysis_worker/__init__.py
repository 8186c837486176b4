"""A job worker for Supabase: woken by Realtime, claimed in SQL, fenced by leases.

An application registers `Handler`s; `analysis-worker run --app package.module:app` does the rest.
"""

from analysis_worker.context import JobContext
from analysis_worker.errors import ConfigurationError, DeferredError, PermanentError, RetryableError
from analysis_worker.handlers import AnyHandler, App, Handler, ProcessHandler, ThreadHandler
from analysis_worker.jobs import Job, JobStatus
from analysis_worker.settings import Settings

__all__ = [
    "AnyHandler",
    "App",
    "ConfigurationError",
    "DeferredError",
    "Handler",
    "Job",
    "JobContext",
    "JobStatus",
    "PermanentError",
    "ProcessHandler",
    "RetryableError",
    "Settings",
    "ThreadHandler",
]
