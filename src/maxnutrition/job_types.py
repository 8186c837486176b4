"""Every job type of the application with its policy: what the database's table of types, the contracts that clients
read, and the documentation are made from."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel

from maxnutrition.contracts import (
    chat,
    health,
    meal_plan,
    medical_exam,
    sofia_image,
    sofia_text,
    whatsapp,
    whatsapp_nutrition,
)
from maxnutrition.prompts.library import PromptName, load_prompt

_DAY = 24 * 3600
Needs = Literal["nothing", "text model", "vision model"]


@dataclass(frozen=True, slots=True)
class Retention:
    """Days until jobs are deleted, None: never. Failed and cancelled ones have their own time."""

    completed: int | None
    failed: int = 90


@dataclass(frozen=True, slots=True)
class JobType:
    """`timeout_seconds` is for one attempt. `per_hour` and `waiting` are a user's limits.

    A result answers the same input of the same user again for `cache_seconds`. None: never, which is right where a
    model that is away makes a result poorer. `flag` is the rollout flag it belongs to.
    """

    name: str
    about: str
    replaces: str
    needs: Needs
    input: type[BaseModel]
    result: type[BaseModel]
    examples: tuple[dict[str, Any], dict[str, Any]]
    flag: str
    timeout_seconds: int
    per_hour: int
    waiting: int
    retention: Retention
    version: str
    max_attempts: int = 3
    priority: int = 0
    cache_seconds: int | None = None
    input_max_bytes: int = 65_536


def _examples(contract: ModuleType, infix: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    return getattr(contract, f"EXAMPLE{infix}_INPUT"), getattr(contract, f"EXAMPLE{infix}_RESULT")


def _prompts(*names: PromptName) -> str:
    return "+".join(load_prompt(name).version for name in names)


JOB_TYPES: tuple[JobType, ...] = (
    JobType(
        name="sofia_image",
        about="Food photo: detector hints, vision model, foods and grams; nutrients by code",
        replaces="sofia-image-analysis",
        needs="vision model",
        input=sofia_image.SofiaImageInput,
        result=sofia_image.SofiaImageResult,
        examples=_examples(sofia_image),
        flag="sofia",
        timeout_seconds=60,
        per_hour=120,
        waiting=10,
        retention=Retention(completed=365),
        cache_seconds=7 * _DAY,
        version=_prompts(PromptName.SOFIA_IMAGE, PromptName.SOFIA_HINTS),
    ),
    JobType(
        name="sofia_text",
        about="Meal in words: parser over the table of foods; a model only for what is left over",
        replaces="sofia-deterministic",
        needs="nothing",
        input=sofia_text.SofiaTextInput,
        result=sofia_text.SofiaTextResult,
        examples=_examples(sofia_text),
        flag="sofia",
        timeout_seconds=45,
        per_hour=300,
        waiting=20,
        retention=Retention(completed=365),
        version=f"parser-1+{_prompts(PromptName.SOFIA_TEXT)}",
    ),
    JobType(
        name="medical_exam",
        about="Lab report of several photos or a PDF: OCR, checked by a vision model where there is one",
        replaces="analyze-medical-exam, finalize-medical-document",
        needs="nothing",
        input=medical_exam.MedicalExamInput,
        result=medical_exam.MedicalExamResult,
        examples=_examples(medical_exam),
        flag="exams",
        timeout_seconds=300,
        per_hour=60,
        waiting=20,
        retention=Retention(completed=None),
        cache_seconds=7 * _DAY,
        version=f"ocr-2+{_prompts(PromptName.MEDICAL_EXAM)}",
    ),
    JobType(
        name="meal_plan",
        about="Days of meals by an optimiser over the table of foods, with a shopping list",
        replaces="generate-meal-plan-taco",
        needs="nothing",
        input=meal_plan.MealPlanInput,
        result=meal_plan.MealPlanResult,
        examples=_examples(meal_plan),
        flag="meal_plan",
        timeout_seconds=60,
        max_attempts=2,
        per_hour=30,
        waiting=5,
        retention=Retention(completed=365),
        cache_seconds=_DAY,
        version="optimiser-1",
    ),
    JobType(
        name="unified_assistant",
        about="Chat with Sofia or Dr. Vital; the text can be read while it is written",
        replaces="unified-ai-assistant, sofia-enhanced-memory",
        needs="text model",
        input=chat.UnifiedAssistantInput,
        result=chat.UnifiedAssistantResult,
        examples=_examples(chat),
        flag="unified",
        timeout_seconds=60,
        max_attempts=2,
        priority=2,
        per_hour=240,
        waiting=5,
        retention=Retention(completed=30, failed=30),
        version=_prompts(PromptName.SOFIA, PromptName.DR_VITAL),
        input_max_bytes=131_072,
    ),
    JobType(
        name="dr_vital",
        about="The user's own measurements: trends by code, words by a model",
        replaces="dr-vital-enhanced",
        needs="text model",
        input=health.DrVitalInput,
        result=health.DrVitalResult,
        examples=_examples(health, "_DR_VITAL"),
        flag="unified",
        timeout_seconds=60,
        max_attempts=2,
        priority=1,
        per_hour=60,
        waiting=5,
        retention=Retention(completed=90),
        version=_prompts(PromptName.DR_VITAL_READING),
        input_max_bytes=262_144,
    ),
    JobType(
        name="health_insights",
        about="Summary of the user's own measurements; a template where there is no model",
        replaces="google-fit-ai-analysis",
        needs="nothing",
        input=health.HealthInsightsInput,
        result=health.HealthInsightsResult,
        examples=_examples(health),
        flag="unified",
        timeout_seconds=60,
        max_attempts=2,
        per_hour=60,
        waiting=5,
        retention=Retention(completed=90),
        version=_prompts(PromptName.HEALTH_INSIGHTS),
        input_max_bytes=262_144,
    ),
    JobType(
        name="whatsapp_message",
        about="Text from WhatsApp: a reply that fits there",
        replaces="whatsapp-ai-assistant",
        needs="text model",
        input=whatsapp.WhatsappMessageInput,
        result=whatsapp.WhatsappMessageResult,
        examples=_examples(whatsapp),
        flag="whatsapp",
        timeout_seconds=60,
        priority=1,
        per_hour=240,
        waiting=10,
        retention=Retention(completed=30, failed=30),
        version=_prompts(PromptName.WHATSAPP),
        input_max_bytes=131_072,
    ),
    JobType(
        name="whatsapp_nutrition",
        about="Meal from WhatsApp as photo, text or both: a reply and a diary entry",
        replaces="whatsapp-nutrition-webhook",
        needs="nothing",
        input=whatsapp_nutrition.WhatsappNutritionInput,
        result=whatsapp_nutrition.WhatsappNutritionResult,
        examples=_examples(whatsapp_nutrition),
        flag="whatsapp",
        timeout_seconds=60,
        priority=1,
        per_hour=120,
        waiting=10,
        retention=Retention(completed=365),
        version=f"parser-1+{_prompts(PromptName.SOFIA_IMAGE, PromptName.SOFIA_HINTS, PromptName.SOFIA_TEXT)}",
    ),
)
