"""What is stored, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest

from tests.contract.storage.client import Storage, error

pytestmark = pytest.mark.anyio


async def test_an_upload_makes_a_row_and_a_file(storage: Storage) -> None:
    user = storage.user()

    answer = await user.upload(f"own/{user.id}/a b.txt", b"12345", cache_control="max-age=60")

    (row,) = storage.rows()
    assert answer.json() == {"Id": str(row["id"]), "Key": f"own/{user.id}/a b.txt"}
    assert (str(row["owner"]), row["owner_id"], row["path_tokens"]) == (user.id, user.id, [user.id, "a b.txt"])
    metadata = row["metadata"]
    assert metadata.pop("lastModified").endswith("Z")
    assert metadata == {
        "eTag": '"827ccb0eea8a706c4c34a16891f84e7b"',
        "size": 5,
        "mimetype": "text/plain",
        "cacheControl": "max-age=60",
        "contentLength": 5,
        "httpStatusCode": 200,
    }
    assert storage.files() == [row["version"]]
    assert (storage.directory / row["version"]).read_bytes() == b"12345"


async def test_a_form_is_stored_as_its_file(storage: Storage) -> None:
    user = storage.user()
    fields = {"cacheControl": "60", "metadata": json.dumps({"lab": "x"})}
    file = {"file": ("exame.pdf", b"%PDF", "application/pdf")}

    answer = await user.send("POST", f"/object/own/{user.id}/exame.pdf", data=fields, files=file)

    assert answer.status_code == 200
    (row,) = storage.rows()
    assert row["user_metadata"] == {"lab": "x"}
    assert (row["metadata"]["mimetype"], row["metadata"]["cacheControl"]) == ("application/pdf", "max-age=60")
    assert (storage.directory / row["version"]).read_bytes() == b"%PDF"


async def test_a_browser_form_without_a_field_name_is_stored_too(storage: Storage) -> None:
    user = storage.user()
    body = (
        b'--x\r\nContent-Disposition: form-data; name="cacheControl"\r\n\r\n3600\r\n'
        b'--x\r\nContent-Disposition: form-data; name=""; filename="blob"\r\nContent-Type: image/png\r\n\r\n'
        b"\x89PNG\r\n--x--\r\n"
    )

    answer = await user.upload(f"pictures/{user.id}/a.png", body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 200
    assert storage.rows()[0]["metadata"]["mimetype"] == "image/png"


async def test_a_form_without_a_file_has_no_content(storage: Storage) -> None:
    user = storage.user()
    body = b'--x\r\nContent-Disposition: form-data; name="cacheControl"\r\n\r\n3600\r\n--x--\r\n'

    answer = await user.upload(f"own/{user.id}/a", body, content_type="multipart/form-data; boundary=x")

    assert (error(answer)[1], answer.json()["message"]) == ("400", "No content provided")


async def test_metadata_of_a_raw_upload_comes_in_a_header(storage: Storage) -> None:
    user = storage.user()
    encoded = base64.b64encode(b'{"lab": "x"}').decode()

    await user.upload(f"own/{user.id}/a", x_metadata=encoded)
    await user.upload(f"own/{user.id}/b", x_metadata="%%%")

    assert [row["user_metadata"] for row in storage.rows()] == [{"lab": "x"}, None]


async def test_a_key_is_used_once(storage: Storage) -> None:
    user = storage.user()
    await user.upload(f"own/{user.id}/a", b"first")

    again = await user.upload(f"own/{user.id}/a", b"second")

    assert error(again) == (400, "409", "Duplicate")
    (row,) = storage.rows()
    assert (storage.directory / row["version"]).read_bytes() == b"first"
    assert storage.files() == [row["version"]]


@pytest.mark.parametrize(("method", "x_upsert"), [("POST", "true"), ("PUT", "false")])
async def test_a_replaced_object_has_a_new_version_and_one_file(storage: Storage, method: str, x_upsert: str) -> None:
    service = storage.service()
    await service.upload("own/a", b"first")
    (before,) = storage.rows()

    answer = await service.upload("own/a", b"second", method, x_upsert=x_upsert)

    assert answer.status_code == 200
    (after,) = storage.rows()
    assert (after["id"], after["version"] != before["version"]) == (before["id"], True)
    assert storage.files() == [after["version"]]
    assert (storage.directory / after["version"]).read_bytes() == b"second"


async def test_policies_decide_who_uploads_where(storage: Storage) -> None:
    user, other = storage.user(), storage.user()

    foreign = await other.upload(f"own/{user.id}/a")
    replaced = await user.upload(f"own/{user.id}/a", x_upsert="true")  # there is no policy for updates, only for new
    await user.upload(f"own/{user.id}/a")
    overwritten = await user.upload(f"own/{user.id}/a", b"new", x_upsert="true")

    assert error(foreign) == (400, "403", "Unauthorized")
    assert foreign.json()["message"] == "new row violates row-level security policy"
    assert replaced.status_code == 200
    assert error(overwritten) == (400, "403", "Unauthorized")
    assert len(storage.files()) == 1


async def test_an_upload_needs_a_valid_token(storage: Storage) -> None:
    user = storage.user()
    nameless = await storage.http.post("/object/own/a", content=b"x")
    assert error(nameless) == (400, "400", "Error")

    storage.clock.skip_s = 3601

    assert error(await user.upload(f"own/{user.id}/a")) == (400, "403", "Unauthorized")
    assert storage.files() == []


async def test_a_bucket_limits_the_size(storage: Storage) -> None:
    user = storage.user()
    large = b"x" * 100_001

    raw = await user.upload(f"own/{user.id}/a", large)
    form = await user.send("POST", f"/object/own/{user.id}/a", files={"file": ("a", large, "text/plain")})
    streamed = await user.upload(f"own/{user.id}/a", _chunks(large))

    for answer in (raw, form, streamed):
        assert error(answer) == (400, "413", "Payload too large")
        assert answer.json()["message"] == "The object exceeded the maximum allowed size"
    assert (storage.files(), storage.rows()) == ([], [])
    assert (await user.upload(f"own/{user.id}/a", large[1:])).status_code == 200


async def test_no_file_is_larger_than_fifty_megabytes(storage: Storage) -> None:
    answer = await storage.service().upload("open/a", b"x" * (50 * 1024 * 1024 + 1))

    assert error(answer) == (400, "413", "Payload too large")
    assert storage.files() == []


@pytest.mark.parametrize("mime_type", ["text/plain", "image", "video/png"])
async def test_a_bucket_refuses_other_types(storage: Storage, mime_type: str) -> None:
    answer = await storage.service().upload("pictures/a", content_type=mime_type)

    assert error(answer) == (400, "415", "invalid_mime_type")
    assert answer.json()["message"] == f"mime type {mime_type} is not supported"


async def test_a_bucket_takes_its_types_and_families(storage: Storage) -> None:
    for number, mime_type in enumerate(["image/png", "image/webp", "application/pdf"]):
        assert (await storage.service().upload(f"pictures/{number}", content_type=mime_type)).status_code == 200


async def test_a_bucket_must_exist(storage: Storage) -> None:
    assert error(await storage.service().upload("nowhere/a")) == (400, "404", "Bucket not found")


@pytest.mark.parametrize("name", ["%2e%2e/%2e%2e/x", "a/%2e%2e/%2e%2e/x", "..%2f..%2fx", "a%00b", "a%5c..%5cb", "ação"])
async def test_a_key_cannot_lead_out_of_its_bucket(storage: Storage, name: str, tmp_path: Path) -> None:
    answer = await storage.service().upload(f"own/{name}")

    assert error(answer) == (400, "400", "InvalidKey")
    assert (storage.files(), storage.rows()) == ([], [])
    assert list(tmp_path.parent.glob("x")) == []


async def test_a_client_that_goes_away_leaves_nothing(storage: Storage) -> None:
    body = b"x" * 50_000
    request = (
        f"POST /object/own/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {storage.keys.service_role_key}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {2 * len(body)}\r\n\r\n"
    )
    url = storage.http.base_url
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request.encode() + body)
    await writer.drain()
    await _until(lambda: len(storage.files()) == 1)

    writer.close()

    await _until(lambda: storage.files() == [])
    assert storage.rows() == []


async def _until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - the server's files set no event here
            await anyio.sleep(0.01)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 30_000):
        yield data[start : start + 30_000]
