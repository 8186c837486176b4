"""The environment of `python -m supabase_local`: each variable is the default of the option of the same name."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class LocalSettings(BaseSettings):
    """Read from `SUPABASE_LOCAL_DIRECTORY`, `SUPABASE_LOCAL_POSTGRES_BIN` and so on."""

    model_config = SettingsConfigDict(env_prefix="SUPABASE_LOCAL_")

    directory: Path = Path(".analysis-worker/stack")
    migrations: Path = Path("supabase/migrations")
    functions: Path = Path("supabase/functions")
    functions_env: Path | None = None
    postgres_bin: Path | None = None
