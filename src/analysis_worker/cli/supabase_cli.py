"""The Supabase CLI, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from analysis_worker.redaction import redacted

HOW_TO_GET_IT = (
    "the Supabase CLI is not installed: npm install --save-dev supabase in the project, or see "
    "https://supabase.com/docs/guides/local-development/cli/getting-started"
)
_PATIENCE_SECONDS = 900.0
_LAST_LINES = 12


class CliFailedError(Exception):
    """It ended with an error, whose last words are the message."""


@dataclass(frozen=True, slots=True)
class SupabaseCli:
    """`command` starts it; `project` is the directory with the folder `supabase`."""

    command: tuple[str, ...]
    project: Path

    def run(self, *arguments: str) -> str:
        """What it prints. Raises CliFailedError."""
        try:
            ended = subprocess.run(
                [*self.command, *arguments],
                cwd=self.project,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_PATIENCE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise CliFailedError(f"not done after {_PATIENCE_SECONDS:g} s") from None
        except OSError as error:
            raise CliFailedError(f"cannot be started: {error.strerror}") from error
        if ended.returncode:
            said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-_LAST_LINES:]
            raise CliFailedError(redacted("\n".join(said)) or f"exit code {ended.returncode}")
        return ended.stdout


def find_cli(project: Path) -> SupabaseCli | None:
    """On the PATH, or among the project's npm packages; never one that npx would have to download first."""
    if found := shutil.which("supabase"):
        return SupabaseCli((found,), project)
    npx = shutil.which("npx")
    if npx and (project / "node_modules" / ".bin" / "supabase").exists():
        return SupabaseCli((npx, "supabase"), project)
    return None
