"""The environment of `python -m supabase_local`: each variable is the default of the option of the same name."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class LocalSettings(BaseSettings):
    """Read from `SUPABASE_LOCAL_DIRECTORY`, `SUPABASE_LOCAL_POSTGRES_BIN` and so on."""

    model_config = SettingsConfigDict(env_prefix="SUPABASE_LOCAL_", use_attribute_docstrings=True)

    directory: Path = Path(".analysis-worker/stack")
    """Where the stack keeps its data."""
    migrations: Path = Path("supabase/migrations")
    """Applied at the start, where the folder exists."""
    functions: Path = Path("supabase/functions")
    """Edge Functions, where the folder exists."""
    functions_env: Path | None = None
    """A file of KEY=VALUE lines: what they find in their environment."""
    postgres_bin: Path | None = None
    """Other PostgreSQL binaries than those of the package."""
