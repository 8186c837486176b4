from collections.abc import AsyncIterator

import httpx
import pytest
import respx
from pydantic import ValidationError

from analysis_worker import PermanentError, RetryableError
from maxnutrition.contracts.common import StoredFile
from maxnutrition.contracts.medical_exam import MedicalExamInput
from maxnutrition.media.storage import open_storage

pytestmark = pytest.mark.anyio

URL = "http://127.0.0.1:54321"
FILE = StoredFile(path="user/exame.jpg")


async def download(file: StoredFile = FILE, max_bytes: int = 1000) -> bytes:
    async with open_storage(URL, lambda: "service-key") as storage:
        return await storage.download(file, max_bytes)


async def refusal(max_bytes: int = 1000) -> str:
    with pytest.raises((PermanentError, RetryableError)) as caught:
        await download(max_bytes=max_bytes)
    return f"{type(caught.value).__name__} {caught.value.code}"


@respx.mock(base_url=URL)
async def test_the_object_is_read_with_the_service_key(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.get("/storage/v1/object/analysis-inputs/user/exame.jpg").respond(content=b"bytes")
    assert await download() == b"bytes"
    headers = route.calls.last.request.headers
    assert (headers["apikey"], headers["authorization"]) == ("service-key", "Bearer service-key")


@respx.mock
async def test_a_path_cannot_change_the_request(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.get(url__startswith=URL).respond(content=b"x")
    await download(StoredFile(path="u/ação 50%?download=1#x&y.jpg"))
    request = route.calls.last.request
    assert request.url.raw_path == (
        b"/storage/v1/object/analysis-inputs/u/a%C3%A7%C3%A3o%2050%25%3Fdownload%3D1%23x%26y.jpg"
    )


@pytest.mark.parametrize(
    "path", ["", "/a", "a//b", "a/", "../a", "a/../b", "a/./b", "a\\b", "a\nb", "a\x00b", "x" * 513]
)
def test_paths_out_of_the_bucket_are_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        StoredFile(path=path)


def test_other_buckets_urls_and_extra_fields_are_refused() -> None:
    for file in ({"bucket": "avatars", "path": "a"}, {"path": "a", "url": "http://x"}):
        with pytest.raises(ValidationError):
            MedicalExamInput.model_validate({"files": [file]})
    for files in ([], [{"path": "a"}] * 11):
        with pytest.raises(ValidationError):
            MedicalExamInput.model_validate({"files": files})


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (httpx.Response(404), "PermanentError file_not_found"),
        (httpx.Response(400, json={"statusCode": "404", "error": "not_found"}), "PermanentError file_not_found"),
        (httpx.Response(400, json={"statusCode": "400"}), "PermanentError storage_refused"),
        (httpx.Response(403), "PermanentError storage_refused"),
        (httpx.Response(302, headers={"location": "http://example.com"}), "PermanentError storage_refused"),
        (httpx.Response(429), "RetryableError storage_unavailable"),
        (httpx.Response(500), "RetryableError storage_unavailable"),
        (httpx.Response(503), "RetryableError storage_unavailable"),
    ],
)
@respx.mock
async def test_refusals_say_whether_trying_again_helps(
    respx_mock: respx.MockRouter, response: httpx.Response, verdict: str
) -> None:
    respx_mock.get(url__startswith=URL).mock(return_value=response)
    assert await refusal() == verdict


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("no"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")]
)
@respx.mock
async def test_a_broken_connection_is_worth_another_attempt(respx_mock: respx.MockRouter, error: Exception) -> None:
    respx_mock.get(url__startswith=URL).mock(side_effect=error)
    assert await refusal() == "RetryableError storage_unavailable"


@respx.mock
async def test_an_announced_size_over_the_cap_is_not_read(respx_mock: respx.MockRouter) -> None:
    respx_mock.get(url__startswith=URL).respond(content=b"x" * 1001)
    assert await refusal(1000) == "PermanentError file_too_large"


@respx.mock
async def test_a_stream_without_end_is_cut_at_the_cap(respx_mock: respx.MockRouter) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 100_000

    respx_mock.get(url__startswith=URL).mock(return_value=httpx.Response(200, content=endless()))
    assert await refusal(1_000_000) == "PermanentError file_too_large"
    assert read < 20
