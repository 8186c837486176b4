"""The photo of a meal: a detector gives hints, a model names foods and grams, code computes the nutrients."""

from __future__ import annotations

from dataclasses import dataclass

import anyio.to_thread

from analysis_worker import Handler, JobContext, PermanentError
from maxnutrition.contracts.common import StoredFile
from maxnutrition.contracts.foods import FOOD_DISCLAIMER, Meal
from maxnutrition.contracts.sofia_image import SofiaImageInput, SofiaImageResult
from maxnutrition.detection.hints import Detection, Detections, Hints, HintsUnavailable
from maxnutrition.foods.labels import LabelMap, food_of_label, map_labels
from maxnutrition.foods.meal_text.items import ParsedItem, ParsedMeal
from maxnutrition.foods.meal_text.report import report_meal, total_of
from maxnutrition.foods.table import FoodTable
from maxnutrition.media.images import sanitise
from maxnutrition.media.storage import Storage
from maxnutrition.prompts.foods import PortionedFoods, SeenFood, SeenFoods, photo_request, portions_request
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.providers.request import Models
from maxnutrition.providers.yolo import Yolo

NO_FOOD = "Não vi comida na foto. Tente uma foto de cima, com boa luz."
UNLISTED = "Vi também, mas não está na tabela de alimentos: {names}."


_NOT_SEEN = "Nenhum modelo viu a foto: as quantidades são porções comuns do que o detector reconheceu. Confira."
_BLIND = 0.4
"""As sure as grams can be that nobody looked at."""


@dataclass(frozen=True, slots=True)
class _Answer:
    seen: SeenFoods
    model: str
    prompt: PromptName
    notes: list[str]


@dataclass(frozen=True, slots=True)
class MealPhotos:
    """Reads photos of meals. `yolo` is None where no detector is configured."""

    storage: Storage
    models: Models
    foods: FoodTable
    labels: LabelMap
    yolo: Yolo | None

    async def run(self, request: SofiaImageInput, context: JobContext) -> SofiaImageResult:
        return await self.read(request.file, request.meal, context)

    async def read(self, file: StoredFile, meal: Meal | None, context: JobContext) -> SofiaImageResult:
        await context.report_progress(0.05, "baixando")
        image = await anyio.to_thread.run_sync(sanitise, await self.storage.download(file))
        await context.report_progress(0.15, "detectando")
        hints = await self._hints(image, context)
        await context.report_progress(0.3, "analisando")
        reply = await self._ask(image, hints, context)
        await context.report_progress(0.9, "calculando")
        result = self._result(reply, meal, hints)
        context.log.bind(items=len(result.items), hinted=result.hinted).info("meal photo read")
        return result

    async def _hints(self, image: bytes, context: JobContext) -> Hints | None:
        if self.yolo is None:
            return None
        hints = await self.yolo.detect(image)
        if isinstance(hints, HintsUnavailable):
            context.log.warning("photo read without hints", reason=hints.reason)
        return hints

    async def _ask(self, image: bytes, hints: Hints | None, context: JobContext) -> _Answer:
        """A model that sees; where there is none, one that reads what the detector saw."""
        seen = hints.foods if isinstance(hints, Detections) else ()
        written = [f"{self._name_of(one)} ({one.confidence:.0%})" for one in seen]
        names = {food.id: food.name for food in self.foods}
        try:
            reply = await self.models.generate(photo_request(image, names, written), context)
        except PermanentError as error:
            known = {food.id: food.name for one in seen if (food := food_of_label(self.labels, one.label))}
            if error.code != "provider_not_configured" or not known:
                raise
            portions = await self.models.generate(portions_request(known, written), context)
            return _Answer(_taken_for_seen(portions.output), portions.model, PromptName.SOFIA_HINTS, [_NOT_SEEN])
        return _Answer(reply.output, reply.model, PromptName.SOFIA_IMAGE, [])

    def _name_of(self, seen: Detection) -> str:
        food = food_of_label(self.labels, seen.label)
        return food.id if food is not None else seen.label_pt or seen.label

    def _result(self, answer: _Answer, meal: Meal | None, hints: Hints | None) -> SofiaImageResult:
        seen = answer.seen
        items = tuple(self._item(item) for item in seen.items)
        notes = [*answer.notes, *([hints.message] if isinstance(hints, HintsUnavailable) else [])]
        if seen.unlisted:
            notes.append(UNLISTED.format(names=", ".join(seen.unlisted)))
        report = report_meal(ParsedMeal(items, ()), meal, notes) if items else None
        return SofiaImageResult(
            is_food=bool(items or seen.unlisted),
            items=report.items if report else [],
            totals=report.totals if report else total_of(()),
            unlisted=seen.unlisted,
            hinted=isinstance(hints, Detections),
            confidence=report.confidence if report else 0.0,
            warnings=report.warnings if report else [*([] if seen.unlisted else [NO_FOOD]), *notes],
            disclaimer=FOOD_DISCLAIMER,
            prompt_version=load_prompt(answer.prompt).version,
            model=answer.model,
        )

    def _item(self, seen: SeenFood) -> ParsedItem:
        return ParsedItem(
            food=self.foods[seen.food_id],
            grams=round(seen.grams, 1),
            said="foto",
            derivation="model",
            amount="estimado pela foto",
            confidence=seen.confidence,
        )


def _taken_for_seen(portioned: PortionedFoods) -> SeenFoods:
    items = [SeenFood(food_id=one.food_id, grams=one.grams, confidence=_BLIND) for one in portioned.items]
    return SeenFoods(is_food=True, items=items, unlisted=[])


def meal_photos(storage: Storage, models: Models, foods: FoodTable, yolo: Yolo | None) -> MealPhotos:
    return MealPhotos(storage, models, foods, map_labels(foods), yolo)


def sofia_image(photos: MealPhotos) -> Handler[SofiaImageInput, SofiaImageResult]:
    return Handler(type="sofia_image", input=SofiaImageInput, result=SofiaImageResult, run=photos.run)
