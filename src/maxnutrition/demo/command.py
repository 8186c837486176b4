"""The `demo` command: options, errors, exit codes."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, NoReturn

import anyio
import typer

from analysis_worker import JobStatus, PermanentError
from maxnutrition.demo.journey import DemoFile, Journey
from maxnutrition.demo.show import Display, show_result
from maxnutrition.demo.stack import StackError
from maxnutrition.demo.stage import perform
from maxnutrition.media.images import MAX_BYTES, mime_type_of, sanitise

EXIT_FAILED = 1
EXIT_BAD_FILE = 2
EXIT_NO_STACK = 3
EXIT_INTERRUPTED = 130
_SAMPLE = "hemograma.jpg"


def demo(
    image: Annotated[
        Path | None, typer.Option(help="A photo of a lab report (JPEG, PNG, WebP). Default: a sample.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    without_realtime: Annotated[
        bool, typer.Option(help="Leave Realtime out: the worker finds the job itself.")
    ] = False,
) -> None:
    """Send a lab report through the whole house: local stack, worker, sign-in, upload, live status, result.

    Needs no Docker and no keys, and leaves nothing behind.

    Exit codes: 0 the exam was read, 1 it was not, 2 the file cannot be used, 3 no local stack, 130 interrupted.
    """
    try:
        file = read_file(image)
        with Display(quiet=as_json) as display:
            journey = anyio.run(perform, file, not without_realtime, display)
    except PermanentError as error:
        _fail(error.code, error.message, EXIT_BAD_FILE, as_json)
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


def read_file(path: Path | None) -> DemoFile:
    """The file to send, refused here already where the analysis would refuse it. Raises PermanentError."""
    source = resources.files("maxnutrition.samples") / _SAMPLE if path is None else path
    if not source.is_file():
        raise PermanentError("file_not_found", f"{source}: no such file")
    with source.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    sanitise(content)
    return DemoFile(source.name, content, mime_type_of(content))


def document_of(journey: Journey) -> dict[str, Any]:
    job = journey.job
    return {
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
