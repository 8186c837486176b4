"""A question about the user's own measurements becomes an answer from their numbers alone."""

from __future__ import annotations

from functools import partial

from analysis_worker import DeferredError, Handler, JobContext, PermanentError, RetryableError
from maxnutrition.contracts.health import DISCLAIMER, DrVitalInput, DrVitalResult
from maxnutrition.prompts.findings import describe
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.prompts.readings import finished, word
from maxnutrition.prompts.replies import desk_for
from maxnutrition.prompts.trends import trend_of, warnings_of
from maxnutrition.providers.request import Models


async def read_measurements(request: DrVitalInput, context: JobContext, *, models: Models) -> DrVitalResult:
    trends = [trend_of(series) for series in request.series]
    question = request.question or ""
    desk = desk_for(question)
    prompt = load_prompt(PromptName.DR_VITAL_READING)
    await context.report_progress(0.3, "escrevendo", desk.advice or None)
    try:
        answer = await word(models, prompt, describe(trends, request.series), question, context)
    except (PermanentError, RetryableError, DeferredError) as error:
        if desk.emergency is None:
            raise
        context.log.warning("advice given without a model", code=error.code)
        reply, model = desk.alone(), None
    else:
        reply, model = finished(answer, desk, context), answer.model
    return DrVitalResult(
        trends=trends,
        reply=reply.text,
        emergency=desk.emergency is not None,
        warnings=warnings_of(request.series),
        disclaimer=DISCLAIMER,
        prompt_version=prompt.version,
        model=model,
    )


def dr_vital(models: Models) -> Handler[DrVitalInput, DrVitalResult]:
    return Handler(
        type="dr_vital", input=DrVitalInput, result=DrVitalResult, run=partial(read_measurements, models=models)
    )
