"""`analysis-worker run`: a worker in the foreground."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, NoReturn

import anyio
import typer
from pydantic import ValidationError

from analysis_worker.errors import ConfigurationError
from analysis_worker.logs import configure_logging
from analysis_worker.service import AppNotFoundError, load_app, run_until_signalled
from analysis_worker.settings import Settings, variable_of

EXIT_BAD_CONFIGURATION = 2
EXIT_FORCED = 130


def run(
    app: Annotated[str, typer.Option(help="The application, as package.module:name.")],
    concurrency: Annotated[int | None, typer.Option(min=1, help="Jobs at a time.")] = None,
    realtime: Annotated[bool | None, typer.Option(help="Be woken by Realtime, or poll alone.")] = None,
) -> None:
    """Run a worker until SIGTERM or Ctrl-C; then let jobs finish and give the rest back.

    Configured by SUPABASE_URL, SUPABASE_SECRET_KEY (or SUPABASE_SERVICE_ROLE_KEY) and ANALYSIS_WORKER_* variables.

    Exit codes: 0 drained, 1 crashed, 2 bad configuration, 130 stopped at once by a second signal, 143 by one
    before it had begun.
    """
    settings = _read_settings(concurrency=concurrency, realtime=realtime)
    configure_logging(settings.log_format, settings.log_level)
    try:
        application = load_app(app)
    except AppNotFoundError as error:
        _fail([str(error)])
    drained, problems = True, list[str]()
    try:
        with _reporting_errors(settings):
            drained = anyio.run(run_until_signalled, settings, application)
    except* ConfigurationError as errors:
        problems = [str(error) for error in _leaves(errors)]
    if problems:
        _fail(problems)
    if not drained:
        raise typer.Exit(EXIT_FORCED)


def _reporting_errors(settings: Settings) -> AbstractContextManager[None]:
    if not settings.sentry_dsn:
        return nullcontext()
    if importlib.util.find_spec("sentry_sdk") is None:
        raise ConfigurationError("ANALYSIS_WORKER_SENTRY_DSN: needs pip install 'analysis-worker[sentry]'")
    from analysis_worker.adapters.sentry import reporting_errors  # noqa: PLC0415 - an extra

    return reporting_errors(settings.sentry_dsn.get_secret_value())


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _read_settings(**options: object) -> Settings:
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks what the command line gave
    except ValidationError as error:
        _fail([f"{variable_of(problem['loc'])}: {problem['msg']}" for problem in error.errors(include_input=False)])


def _fail(problems: list[str]) -> NoReturn:
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    raise typer.Exit(EXIT_BAD_CONFIGURATION)
