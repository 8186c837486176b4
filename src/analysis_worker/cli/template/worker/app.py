"""The jobs of this application. Run them with `analysis-worker run --app worker.app:app`."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pydantic import BaseModel

from analysis_worker import AnyHandler, Handler, JobContext, Settings


class Text(BaseModel):
    text: str


async def shout(input: Text, context: JobContext) -> Text:
    await context.report_progress(0.5, "shouting")
    return Text(text=input.text.upper())


@asynccontextmanager
async def app(_: Settings) -> AsyncIterator[Iterable[AnyHandler]]:
    """What handlers need for as long as the worker runs (clients, models) is opened here, around the yield."""
    yield [Handler(type="shout", input=Text, result=Text, run=shout)]
