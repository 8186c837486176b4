"""The `demo` command: options, errors, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import anyio
import typer

from analysis_worker import JobStatus, PermanentError
from maxnutrition.demo.journey import Journey
from maxnutrition.demo.request import KINDS, request_for
from maxnutrition.demo.show import Display, show_result
from maxnutrition.demo.stack import StackError
from maxnutrition.demo.stage import perform
from maxnutrition.demo.web import PagesError
from maxnutrition.demo.web import perform as perform_in_browser

EXIT_FAILED = 1
EXIT_BAD_REQUEST = 2
EXIT_NO_STACK = 3
EXIT_INTERRUPTED = 130


def demo(  # noqa: PLR0913, PLR0917 - one parameter an option
    type: Annotated[str, typer.Option(help=f"What to ask for: {', '.join(KINDS)}.")] = "medical_exam",
    file: Annotated[
        Path | None, typer.Option("--file", "--image", help="A photo (JPEG, PNG, WebP) or PDF. Default: a sample.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What to say, for types that read words.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    without_realtime: Annotated[
        bool, typer.Option(help="Leave Realtime out: the worker finds the job itself.")
    ] = False,
    web: Annotated[bool, typer.Option("--web", help="Show the app's components in a browser instead.")] = False,
    port: Annotated[int, typer.Option(help="For --web; 0 takes a free one.", min=0, max=65535)] = 0,
    open_browser: Annotated[bool, typer.Option(help="For --web: open the browser.")] = True,
) -> None:
    """Send a request through the whole house: local stack, worker, sign-in, upload, live status, result.

    Needs no Docker, and leaves nothing behind. medical_exam, sofia_text, meal_plan and health_insights need no keys;
    the others ask the models that MAXNUTRITION_* variables name.

    Exit codes: 0 done, 1 failed, 2 the request cannot be sent, 3 no local stack, 130 interrupted.
    """
    if web:
        _show_pages(port, open_browser)
        return
    try:
        request = request_for(type, file, text)
        with Display(quiet=as_json) as display:
            journey = anyio.run(perform, request, not without_realtime, display)
    except PermanentError as error:
        _fail(error.code, error.message, EXIT_BAD_REQUEST, as_json)
    except StackError as error:
        _fail("no_local_stack", str(error), EXIT_NO_STACK, as_json)
    except ExceptionGroup as errors:
        _fail("demo_failed", _first_of(errors), EXIT_FAILED, as_json)
    except KeyboardInterrupt:
        _fail("interrupted", "Interrupted; everything was stopped and removed.", EXIT_INTERRUPTED, as_json)
    if as_json:
        typer.echo(json.dumps(document_of(journey), ensure_ascii=False, indent=2))
    else:
        show_result(journey)
    if journey.job.status is not JobStatus.COMPLETED:
        raise typer.Exit(EXIT_FAILED)


def _show_pages(port: int, open_browser: bool) -> None:
    try:
        anyio.run(perform_in_browser, port, open_browser)
    except PagesError as error:
        _fail("no_pages", str(error), EXIT_BAD_REQUEST, as_json=False)
    except StackError as error:
        _fail("no_local_stack", str(error), EXIT_NO_STACK, as_json=False)
    except KeyboardInterrupt:
        typer.echo("Everything was stopped and removed.", err=True)


def document_of(journey: Journey) -> dict[str, Any]:
    job = journey.job
    return {
        "type": journey.type,
        "status": job.status.value,
        "result": job.result,
        "error": None if job.error is None else job.error.model_dump(),
        "woken_by": journey.woken_by,
        "timings": journey.timings,
    }


def _first_of(errors: ExceptionGroup[Exception]) -> str:
    """What went wrong first, in a line."""
    error: Exception = errors
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _fail(code: str, message: str, exit_code: int, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"status": "error", "error": {"code": code, "message": message}}, ensure_ascii=False))
    else:
        typer.echo(f"error ({code}): {message}", err=True)
    raise typer.Exit(exit_code)
