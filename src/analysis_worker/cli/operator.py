"""What the commands of operators share: where the project is, how to ask it, and what an exit code means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from analysis_worker.adapters.operators import Operations, open_operations
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError
from analysis_worker.settings import Settings, variable_of

EXIT_REFUSED = 1
EXIT_BAD_CONFIGURATION = 2
EXIT_UNREACHABLE = 3
EXIT_CODES = (
    "Exit codes: 0 done, 1 refused by the queue or at the prompt, 2 bad configuration or arguments, 3 no answer: the "
    "change may have been made, and asking again does no harm."
)

_Settings = TypeVar("_Settings", bound=BaseSettings)
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as one JSON document.")]
ReasonOption = Annotated[str | None, typer.Option(help="Why; kept with the change.")]


@contextmanager
def operations() -> Iterator[Operations]:
    """The project of SUPABASE_URL. An error of the queue in the block ends the program, with a message on stderr."""
    settings = read_settings(Settings)
    with open_operations(settings.supabase_url, settings.current_key) as opened:
        try:
            yield opened
        except StoreRejectedError as error:
            fail(str(error), EXIT_REFUSED)
        except StoreUnavailableError as error:
            fail(f"{settings.supabase_url} does not answer: {error}", EXIT_UNREACHABLE)


def print_json(answer: Any) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def fail(problem: str, exit_code: int) -> NoReturn:
    typer.echo(f"error: {problem}", err=True)
    raise typer.Exit(exit_code)


def read_settings(kind: type[_Settings]) -> _Settings:
    """From the environment. Ends the program where they cannot be."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        problems = error.errors(include_input=False)
        fail(
            "; ".join(f"{variable_of(each['loc'], prefix)}: {each['msg']}" for each in problems), EXIT_BAD_CONFIGURATION
        )
