"""What the worker says of the inputs in the vectors: the functions' TypeScript has to say the same.

After a change of the worker's rules or foods, `python -m tests.contract.functions.vectors` writes its answers anew.
"""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from maxnutrition.contracts.chat import UnifiedAssistantInput
from maxnutrition.contracts.sofia_image import SofiaImageInput
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers.sofia_image import meal_photos
from maxnutrition.prompts.chat import chat_message
from maxnutrition.prompts.emergencies import emergency_in
from maxnutrition.prompts.fences import fenced
from maxnutrition.prompts.red_lines import hold, line_crossed_by
from maxnutrition.prompts.replies import desk_for
from tests.unit.maxnutrition.fakes import StoredFiles
from tests.unit.providers.doubles import ScriptedModels, context_for

GUARD = Path(__file__).with_name("guard_vectors.json")
MEALS = Path(__file__).with_name("meal_vectors.json")


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def written(vectors: Any) -> str:
    """One vector a line."""
    groups = (
        f"  {json.dumps(name)}: [\n    "
        + ",\n    ".join(json.dumps(vector, ensure_ascii=False) for vector in group)
        + "\n  ]"
        for name, group in vectors.items()
    )
    return "{\n" + ",\n".join(groups) + "\n}\n"


def answered_guard(vectors: Any) -> Any:
    return {
        "lines": [[sentence, line_crossed_by(sentence)] for sentence, *_ in vectors["lines"]],
        "emergencies": [[message, emergency_of(message)] for message, *_ in vectors["emergencies"]],
        "held": [[text, hold(text).text] for text, *_ in vectors["held"]],
        "replies": [[message, text, reply_to(message, text)] for message, text, *_ in vectors["replies"]],
        "fenced": [[text, fenced("texto", text)] for text, *_ in vectors["fenced"]],
        "questions": [[asked, question_of(asked)] for asked, *_ in vectors["questions"]],
    }


def answered_meals(vectors: Any) -> Any:
    return {"meals": [[seen, meal, asyncio.run(report(seen, meal))] for seen, meal, *_ in vectors["meals"]]}


def emergency_of(message: str) -> str | None:
    emergency = emergency_in(message)
    return None if emergency is None else emergency.value


def reply_to(message: str, written: str) -> dict[str, Any]:
    reply = desk_for(message).finish(written)
    return {"text": reply.text, "suggestions": list(reply.suggestions), "crossed": list(reply.crossed)}


def question_of(asked: dict[str, Any]) -> str:
    request = UnifiedAssistantInput.model_validate(asked)
    return chat_message(request.message, request.history, request.memory, request.context).text


async def report(seen: dict[str, Any], meal: str | None) -> dict[str, Any]:
    """The whole result of a job whose model saw this."""
    photo = BytesIO()
    Image.new("RGB", (8, 8)).save(photo, "PNG")
    photos = meal_photos(
        StoredFiles({"u/photo": photo.getvalue()}), ScriptedModels(json.dumps(seen)), core_foods(), None
    )
    request = SofiaImageInput.model_validate({"file": {"path": "u/photo"}, "meal": meal})
    context, _ = context_for("sofia_image")
    return (await photos.run(request, context)).model_dump(mode="json")


if __name__ == "__main__":
    GUARD.write_text(written(answered_guard(read(GUARD))), encoding="utf-8")
    MEALS.write_text(written(answered_meals(read(MEALS))), encoding="utf-8")
