"""Composition: opens what the handlers need, registers every handler, closes it all again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from analysis_worker import ConfigurationError, Settings
from analysis_worker.handlers import AnyHandler
from maxnutrition.exams.model_reader import ModelReader
from maxnutrition.exams.ocr import open_ocr
from maxnutrition.foods.table import FoodFileError, FoodTable, load_foods
from maxnutrition.handlers.dr_vital import dr_vital
from maxnutrition.handlers.health_insights import health_insights
from maxnutrition.handlers.meal_plan import meal_plan
from maxnutrition.handlers.medical_exam import medical_exam
from maxnutrition.handlers.sofia_image import meal_photos, sofia_image
from maxnutrition.handlers.sofia_text import meal_texts, sofia_text
from maxnutrition.handlers.unified_assistant import unified_assistant
from maxnutrition.handlers.whatsapp_message import whatsapp_message
from maxnutrition.handlers.whatsapp_nutrition import WhatsappMeals, whatsapp_nutrition
from maxnutrition.media.storage import open_storage
from maxnutrition.providers.opening import open_models
from maxnutrition.providers.yolo import Yolo, open_yolo
from maxnutrition.settings import AnalysisSettings, read_settings


@asynccontextmanager
async def app(settings: Settings) -> AsyncIterator[Sequence[AnyHandler]]:
    """Raises ConfigurationError."""
    analyses = read_settings()
    foods = _foods(analyses)
    async with (
        open_storage(settings.supabase_url, settings.current_key) as storage,
        open_ocr() as ocr,
        open_models(analyses, settings.supabase_url, settings.current_key) as models,
        _detector(analyses) as yolo,
    ):
        photos, texts = meal_photos(storage, models, foods, yolo), meal_texts(foods, models)
        yield [
            sofia_image(photos),
            sofia_text(texts),
            medical_exam(storage, ocr, ModelReader(models)),
            meal_plan(),
            unified_assistant(models),
            dr_vital(models),
            health_insights(models),
            whatsapp_message(models),
            whatsapp_nutrition(WhatsappMeals(photos, texts, foods)),
        ]


def _foods(analyses: AnalysisSettings) -> FoodTable:
    try:
        return load_foods(analyses.foods_file)
    except FoodFileError as error:
        raise ConfigurationError(f"MAXNUTRITION_FOODS_FILE: {error}") from error


def _detector(analyses: AnalysisSettings) -> AbstractAsyncContextManager[Yolo | None]:
    return nullcontext() if analyses.yolo_url is None else open_yolo(analyses.yolo_url, analyses.yolo_box_format)
