"""A detector on loopback that keeps to the documented contract, and breaks it as told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from maxnutrition.detection.hints import BoxFormat
from maxnutrition.providers.yolo import Yolo, open_yolo

RICE: dict[str, Any] = {
    "class_name": "rice",
    "class_name_pt": "arroz",
    "confidence": 0.91,
    "bbox": [10, 20, 100, 50],
    "is_food": True,
    "area": 5000,
}
FORK: dict[str, Any] = {
    "class_name": "fork",
    "class_name_pt": "garfo",
    "confidence": 0.55,
    "bbox": [200, 5, 30, 150],
    "is_food": False,
    "area": 4500,
}


def answer(*objects: Any, **changed: Any) -> dict[str, Any]:
    foods = [item for item in objects if isinstance(item, dict) and item.get("is_food")]
    return {
        "success": True,
        "objects": list(objects),
        "food_objects": foods,
        "total_objects": len(objects),
        "total_food": len(foods),
        "inference_time_ms": 41.5,
        "model_version": "yolo11s-seg",
        "message": "ok",
        **changed,
    }


@dataclass
class Upload:
    query: dict[str, str]
    form: dict[str, str]
    file: bytes
    content_type: str | None


@dataclass
class Detector:
    """`detect` and `health` make the answers; `uploads` is what came."""

    yolo: Yolo
    detect: Callable[[], Awaitable[web.StreamResponse]] | dict[str, Any] = field(default_factory=lambda: answer(RICE))
    health: Callable[[], Awaitable[web.StreamResponse]] | dict[str, Any] = field(
        default_factory=lambda: {"status": "healthy", "model_loaded": True}
    )
    uploads: list[Upload] = field(default_factory=list)


@asynccontextmanager
async def detector(box_format: BoxFormat = BoxFormat.CORNER_AND_SIZE) -> AsyncIterator[Detector]:
    async def upload(request: web.Request) -> web.StreamResponse:
        running.uploads.append(await _read(request))
        return await _respond(running.detect)

    async def health(_: web.Request) -> web.StreamResponse:
        return await _respond(running.health)

    app = web.Application()
    app.router.add_post("/detect/upload", upload)
    app.router.add_get("/health", health)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with open_yolo(f"http://127.0.0.1:{runner.addresses[0][1]}", box_format) as yolo:
            running = Detector(yolo)
            yield running
    finally:
        await runner.cleanup()


async def _read(request: web.Request) -> Upload:
    form = await request.post()
    file = form["file"]
    assert isinstance(file, web.FileField)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    with file.file as content:
        return Upload(dict(request.query), fields, content.read(), file.content_type)


async def _respond(made: Callable[[], Awaitable[web.StreamResponse]] | dict[str, Any]) -> web.StreamResponse:
    return web.json_response(made) if isinstance(made, dict) else await made()
