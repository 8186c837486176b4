"""One provider alone at a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maxnutrition.providers.opening import open_models
from maxnutrition.providers.request import Models
from tests.contract.providers.dialects import (
    GeminiDialect,
    OllamaDialect,
    OpenAiDialect,
    settings_for,
)
from tests.contract.providers.server import Reply, ScriptedServer, running_server
from tests.unit.providers.doubles import Clock

Dialect = GeminiDialect | OpenAiDialect | OllamaDialect
CLOSED_PORT = "http://127.0.0.1:9"


@asynccontextmanager
async def serving(dialect: Dialect, *script: Reply, **settings: object) -> AsyncIterator[tuple[Models, ScriptedServer]]:
    """The dialect's provider alone, at a server with this script."""
    async with running_server(*script) as server:
        chosen = settings_for(**{**dialect.settings(server.url), **settings})
        async with open_models(chosen, CLOSED_PORT, lambda: "", Clock()) as models:
            yield models, server
