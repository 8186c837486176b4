"""The app's own object detector. Its failure is never a job's failure: the analysis goes on without hints.

`POST /detect/upload` takes the photo as multipart `file`, never as a URL, so the detector fetches nothing for a
stranger. Whether it reads `confidence` and `max_detections` from the query or the form is not documented: both are
sent, and the answer is held to them anyway.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import anyio
import httpx
from PIL import Image

from maxnutrition.detection.hints import BoxFormat, Hints, HintsUnavailable
from maxnutrition.detection.normalise import Reading, normalise

_MAX_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Profile:
    """What one use of the detector wants of it. The timeout is for everything, in seconds."""

    task: str = "detect"
    min_confidence: float = 0.35
    max_detections: int = 20
    timeout_seconds: float = 8.0


FOOD = Profile()
CAREFUL_FOOD = Profile(min_confidence=0.6, max_detections=10)
"""For whom a wrong hint costs more than a missing one."""


@dataclass(frozen=True, slots=True)
class Health:
    """Degraded: it answers, but its model is not loaded, so hints will be missing."""

    status: Literal["healthy", "degraded", "down"]
    reason: str = ""


class Yolo:
    def __init__(self, client: httpx.AsyncClient, box_format: BoxFormat) -> None:
        self._client = client
        self._box_format = box_format

    async def detect(self, image: bytes, profile: Profile = FOOD) -> Hints:
        """`image` is a JPEG as `media.images` makes them. Raises nothing but a cancellation."""
        wanted = {
            "confidence": str(profile.min_confidence),
            "max_detections": str(profile.max_detections),
            "task": profile.task,
        }
        file = {"file": ("photo.jpg", image, "image/jpeg")}
        request = self._client.build_request("POST", "/detect/upload", params=wanted, data=wanted, files=file)
        answer = await self._ask(request, profile.timeout_seconds)
        if isinstance(answer, HintsUnavailable):
            return answer
        size = Image.open(BytesIO(image)).size
        return normalise(answer, Reading(self._box_format, size, profile.min_confidence, profile.max_detections))

    async def health(self, timeout_seconds: float = 3.0) -> Health:
        answer = await self._ask(self._client.build_request("GET", "/health"), timeout_seconds)
        if isinstance(answer, HintsUnavailable):
            return Health("down", answer.reason)
        if not isinstance(answer, dict):
            return Health("down", "the answer is no JSON object")
        if answer.get("status") == "healthy" and answer.get("model_loaded") is not False:
            return Health("healthy")
        return Health("degraded", "the model is not loaded")

    async def _ask(self, request: httpx.Request, timeout_seconds: float) -> Any:
        """The JSON of a successful answer, or why there is none."""
        try:
            with anyio.fail_after(timeout_seconds):
                return await self._send(request)
        except (TimeoutError, httpx.TimeoutException):
            return HintsUnavailable("the detector did not answer in time")
        except httpx.TransportError as error:
            return HintsUnavailable(f"the detector could not be reached: {type(error).__name__}")

    async def _send(self, request: httpx.Request) -> Any:
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != httpx.codes.OK:
                return HintsUnavailable(f"the detector answered {response.status_code}")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_ANSWER:
                    return HintsUnavailable("the answer is too large")
            return httpx.Response(200, content=bytes(body)).json()
        except (ValueError, RecursionError, httpx.DecodingError):
            return HintsUnavailable("the answer is no JSON")
        finally:
            await response.aclose()


@asynccontextmanager
async def open_yolo(url: str, box_format: BoxFormat = BoxFormat.CORNER_AND_SIZE) -> AsyncIterator[Yolo]:
    async with httpx.AsyncClient(base_url=url, timeout=None, trust_env=False) as client:  # noqa: S113 - `_ask` has one
        yield Yolo(client, box_format)
