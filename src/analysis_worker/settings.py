"""Configuration: the only module of the engine that reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """Settings of one worker, from `ANALYSIS_WORKER_*` and the two variables every Supabase program knows."""

    model_config = SettingsConfigDict(
        env_prefix="ANALYSIS_WORKER_", env_file=".env", extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    supabase_url: str = Field(validation_alias=AliasChoices("supabase_url", "SUPABASE_URL"))
    """The project's URL."""
    supabase_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices(
            "supabase_key", "SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_KEY"
        ),
    )
    """The worker's key, unless it is in a file. Never in logs."""
    supabase_key_file: Path | None = Field(
        default=None, validation_alias=AliasChoices("supabase_key_file", "SUPABASE_SECRET_KEY_FILE")
    )
    """A file with the key, read again when needed, so that keys can be exchanged while the worker runs."""
    database_url: SecretStr | None = None
    """For a worker next to the database: ask the queue and listen there, and not over HTTP. Never in logs."""
    concurrency: int = Field(default=5, ge=1, le=1000)
    """Jobs at a time."""
    heartbeat_seconds: Seconds = 8.0
    """Between heartbeats while jobs run."""
    lease_seconds: float = Field(default=25.0, ge=2, le=3600)
    """Without a heartbeat for so long, the worker counts as dead; at least twice the time between heartbeats."""
    reconcile_seconds: Seconds = 30.0
    """Between sweeps."""
    poll_seconds: Seconds = 1.5
    """Between looks at the queue while the listener is not ready."""
    grace_seconds: float = Field(default=25.0, ge=0)
    """For running jobs to finish after SIGTERM."""
    realtime: bool = True
    """Be woken by Realtime or, with a database URL, by the database; else poll alone."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Serves `/livez`, `/readyz`, `/startupz` and `/metrics`; without it nothing is served."""
    bind_address: str = "127.0.0.1"
    """Where the port listens; in a container `0.0.0.0`."""
    dashboard: bool = False
    """Serves the dashboard, too, under `/dashboard` of the port; see `ANALYSIS_DASHBOARD_*`."""
    log_format: str = Field(default="auto", pattern="^(auto|json|text)$")
    """`json`, `text`, or `auto`: text at a terminal, JSON elsewhere."""
    log_level: str = "INFO"
    """The least level that is logged."""
    sentry_dsn: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("sentry_dsn", "ANALYSIS_WORKER_SENTRY_DSN", "SENTRY_DSN")
    )
    """Where to report errors, without their texts; needs the extra `sentry`."""

    @field_validator("supabase_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _some_key(self) -> Self:
        if not self.supabase_key.get_secret_value() and self.supabase_key_file is None:
            raise ValueError("set SUPABASE_SECRET_KEY or SUPABASE_SECRET_KEY_FILE")
        return self

    @model_validator(mode="after")
    def _lease_outlives_a_missed_heartbeat(self) -> Self:
        if self.lease_seconds < 2 * self.heartbeat_seconds:
            raise ValueError("lease_seconds must be at least twice heartbeat_seconds")
        return self

    @model_validator(mode="after")
    def _somewhere_for_the_dashboard(self) -> Self:
        if self.dashboard and self.port is None:
            raise ValueError("ANALYSIS_WORKER_DASHBOARD needs ANALYSIS_WORKER_PORT")
        return self

    def current_key(self) -> str:
        """The key to use now. One in a file can be exchanged while the worker runs; raises OSError without the file."""
        if self.supabase_key_file is None:
            return self.supabase_key.get_secret_value()
        return self.supabase_key_file.read_text().strip()


class OperatorSettings(BaseSettings):
    """What some of the operators' commands need besides; nothing of it is needed to run a worker."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    publishable_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY")
    )
    """What the app's clients have, for `test-e2e`."""
    deploy_webhook: SecretStr | None = Field(default=None, validation_alias="ANALYSIS_WORKER_DEPLOY_WEBHOOK")
    """The URL that makes EasyPanel deploy the worker, for `deploy`. Whoever has it can."""


class DashboardSettings(BaseSettings):
    """Who may enter the dashboard, from `ANALYSIS_DASHBOARD_*`."""

    model_config = SettingsConfigDict(
        env_prefix="ANALYSIS_DASHBOARD_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    token: SecretStr | None = Field(default=None, min_length=24)
    """Lets in operators, who may change things; 24 characters at least. Exchanging it ends all sessions."""
    viewer_token: SecretStr | None = Field(default=None, min_length=24)
    """Lets in viewers, who may look, but not at what jobs contain."""
    supabase_auth: bool = False
    """Lets in users whose `app_metadata.role` is `admin` (operators), `viewer` or `support` (viewers)."""
    session_hours: float = Field(default=8.0, gt=0, le=168)
    """After so long, sign in again."""

    @model_validator(mode="after")
    def _tokens_differ(self) -> Self:
        if self.token is not None and self.token == self.viewer_token:
            raise ValueError("ANALYSIS_DASHBOARD_TOKEN and ANALYSIS_DASHBOARD_VIEWER_TOKEN must differ")
        return self

    @property
    def lets_somebody_in(self) -> bool:
        return self.supabase_auth or self.token is not None or self.viewer_token is not None


def variable_of(location: tuple[int | str, ...], prefix: str = "ANALYSIS_WORKER_") -> str:
    """The environment variable behind a field of Settings, for messages."""
    field = ".".join(map(str, location)) or "settings"
    special = {"supabase_url": "SUPABASE_URL", "supabase_key": "SUPABASE_SECRET_KEY", "settings": "settings"}
    return special.get(field, f"{prefix}{field.upper()}")
