"""The user's own measurements become trends, and words about them: a model's where there is one, else ours."""

from __future__ import annotations

from functools import partial

from analysis_worker import Handler, JobContext
from maxnutrition.contracts.health import DISCLAIMER, HealthInsightsInput, HealthInsightsResult
from maxnutrition.prompts.findings import describe
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.prompts.readings import finished, word
from maxnutrition.prompts.replies import Desk
from maxnutrition.prompts.trends import trend_of, warnings_of
from maxnutrition.providers.errors import NoUsableAnswerError, ProviderNotConfiguredError
from maxnutrition.providers.request import Models


async def find_insights(request: HealthInsightsInput, context: JobContext, *, models: Models) -> HealthInsightsResult:
    trends = [trend_of(series) for series in request.series]
    facts = describe(trends, request.series)
    own = HealthInsightsResult(
        trends=trends,
        text=facts,
        written_by="template",
        warnings=warnings_of(request.series),
        disclaimer=DISCLAIMER,
        prompt_version=None,
        model=None,
    )
    prompt = load_prompt(PromptName.HEALTH_INSIGHTS)
    await context.report_progress(0.3, "escrevendo")
    try:
        answer = await word(models, prompt, facts, "", context)
    except (ProviderNotConfiguredError, NoUsableAnswerError) as error:
        context.log.info("insights told without a model", code=error.code)
        return own
    text = finished(answer, Desk(None), context).text
    words = {"text": text, "written_by": "model", "prompt_version": prompt.version, "model": answer.model}
    return own.model_copy(update=words)


def health_insights(models: Models) -> Handler[HealthInsightsInput, HealthInsightsResult]:
    return Handler(
        type="health_insights",
        input=HealthInsightsInput,
        result=HealthInsightsResult,
        run=partial(find_insights, models=models),
    )
