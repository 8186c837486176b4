"""Where functions lie and how the project's `config.toml` wants them to be treated."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, slots=True)
class Function:
    """`verify_jwt`: only requests with a token of this project reach it, be it one of the API keys."""

    name: str
    directory: Path
    verify_jwt: bool

    @property
    def module(self) -> Path:
        return self.directory / "index.ts"

    @property
    def config(self) -> Path | None:
        file = self.directory / "deno.json"
        return file if file.is_file() else None


@dataclass(frozen=True, slots=True)
class FunctionSources:
    """A folder with a folder for each function; `config.toml` lies beside it. `env_file` is theirs, as KEY=VALUE."""

    directory: Path
    env_file: Path | None = None

    def find(self, name: str) -> Function | None:
        """Read anew for each call, so that a function may be added while the stack runs."""
        directory = self.directory.absolute() / name
        if not _NAME.fullmatch(name) or not (directory / "index.ts").is_file():
            return None
        return Function(name, directory, self._verifies_jwt(name))

    def _verifies_jwt(self, name: str) -> bool:
        try:
            config = tomllib.loads((self.directory.absolute().parent / "config.toml").read_text())
        except (FileNotFoundError, tomllib.TOMLDecodeError):
            return True
        functions: dict[str, Any] = config.get("functions", {})
        return bool(functions.get(name, {}).get("verify_jwt", True))
