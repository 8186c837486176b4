"""Who reads what, by token, by signed URL and in public."""

from __future__ import annotations

import pytest

from tests.contract.storage.client import Storage, error

pytestmark = pytest.mark.anyio


async def test_owners_read_their_objects_and_nobody_else_does(storage: Storage) -> None:
    user, other = storage.user(), storage.user()
    key = f"own/{user.id}/a.txt"
    await user.upload(key, b"12345", cache_control="max-age=60")

    for path in (f"/object/{key}", f"/object/authenticated/{key}"):
        answer = await user.send("GET", path)
        assert (answer.status_code, answer.content) == (200, b"12345")
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["cache-control"] == "max-age=60"
        assert answer.headers["etag"] == '"827ccb0eea8a706c4c34a16891f84e7b"'
        assert "content-disposition" not in answer.headers
        assert error(await other.send("GET", path)) == (400, "404", "not_found")

    nameless = await storage.http.get(f"/object/{key}")
    assert error(nameless) == (400, "404", "Bucket not found")
    assert error(await storage.http.get(f"/object/public/{key}")) == (400, "404", "Bucket not found")


async def test_an_object_that_is_not_there_is_not_found(storage: Storage) -> None:
    service = storage.service()
    assert error(await service.send("GET", "/object/own/a")) == (400, "404", "not_found")
    assert error(await service.send("GET", "/object/nowhere/a")) == (400, "404", "Bucket not found")
    assert (await service.send("HEAD", "/object/own/a")).status_code == 400


async def test_a_public_bucket_is_read_by_everybody(storage: Storage) -> None:
    await storage.service().upload("open/a.txt", b"12345")

    for path in ("/object/public/open/a.txt", "/object/open/a.txt"):
        assert (await storage.http.get(path)).content == b"12345"
    assert (await storage.http.get("/object/info/public/open/a.txt")).json()["size"] == 5


async def test_a_download_may_be_given_a_name(storage: Storage) -> None:
    await storage.service().upload("open/a.txt")

    unnamed = await storage.http.get("/object/public/open/a.txt", params={"download": ""})
    named = await storage.http.get("/object/public/open/a.txt", params={"download": "relatório.txt"})

    assert unnamed.headers["content-disposition"] == "attachment;"
    quoted = "relat%C3%B3rio.txt"
    assert named.headers["content-disposition"] == f"attachment; filename={quoted}; filename*=UTF-8''{quoted}"


async def test_an_object_is_described(storage: Storage) -> None:
    user = storage.user()
    await user.upload(f"own/{user.id}/a.txt", b"12345")
    (row,) = storage.rows()

    body = (await user.send("GET", f"/object/info/own/{user.id}/a.txt")).json()

    assert body.pop("created_at") == body.pop("last_modified")
    assert body == {
        "id": str(row["id"]),
        "name": f"{user.id}/a.txt",
        "version": row["version"],
        "bucket_id": "own",
        "size": 5,
        "content_type": "text/plain",
        "cache_control": "no-cache",
        "etag": '"827ccb0eea8a706c4c34a16891f84e7b"',
        "metadata": None,
    }
    head = await user.send("HEAD", f"/object/own/{user.id}/a.txt")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "5", b"")


async def test_a_signed_url_opens_one_object_until_it_expires(storage: Storage) -> None:
    user = storage.user()
    for name in ("a b.txt", "c.txt"):
        await user.upload(f"own/{user.id}/{name}", name.encode())

    url = (await user.send("POST", f"/object/sign/own/{user.id}/a b.txt", json={"expiresIn": "60"})).json()["signedURL"]

    assert url.startswith(f"/object/sign/own/{user.id}/a b.txt?token=")
    answer = await storage.http.get(url)
    assert (answer.content, "expires" in answer.headers) == (b"a b.txt", True)
    elsewhere = await storage.http.get(url.replace("a b.txt", "c.txt"))
    assert error(elsewhere) == (400, "400", "InvalidSignature")
    assert error(await storage.http.get(url[:-2])) == (400, "400", "InvalidJWT")
    storage.clock.skip_s = 61
    late = await storage.http.get(url)
    assert error(late) == (400, "400", "InvalidJWT")
    assert late.json()["message"] == '"exp" claim timestamp check failed'


async def test_nobody_signs_what_they_cannot_read(storage: Storage) -> None:
    user, other = storage.user(), storage.user()
    name = f"{user.id}/a.txt"
    await user.upload(f"own/{name}")

    one = await other.send("POST", f"/object/sign/own/{name}", json={"expiresIn": 60})
    many = await other.send("POST", "/object/sign/own", json={"expiresIn": 60, "paths": [name]})
    mine = await user.send("POST", "/object/sign/own", json={"expiresIn": 60, "paths": [name, "b"]})

    assert error(one) == (400, "404", "not_found")
    unseen = "Either the object does not exist or you do not have access to it"
    assert many.json() == [{"error": unseen, "path": name, "signedURL": None}]
    assert [item["error"] for item in mine.json()] == [None, unseen]
    assert (await storage.http.get(mine.json()[0]["signedURL"])).status_code == 200


@pytest.mark.parametrize("body", [{}, {"expiresIn": 0}, {"expiresIn": "soon"}])
async def test_a_signature_needs_a_lifetime(storage: Storage, body: dict[str, object]) -> None:
    await storage.service().upload("own/a")

    assert error(await storage.service().send("POST", "/object/sign/own/a", json=body)) == (400, "400", "Error")


async def test_a_signed_upload_stands_for_its_signer(storage: Storage) -> None:
    user, other = storage.user(), storage.user()
    path = f"/object/upload/sign/own/{user.id}/a.txt"
    assert error(await other.send("POST", path)) == (400, "403", "Unauthorized")

    signed = (await user.send("POST", path)).json()
    assert signed["url"] == f"{path}?token={signed['token']}"
    answer = await storage.http.put(signed["url"], content=b"12345", headers={"Content-Type": "text/plain"})

    assert answer.json()["Key"] == f"own/{user.id}/a.txt"
    assert storage.rows()[0]["owner_id"] == user.id
    again = await storage.http.put(signed["url"], content=b"1", headers={"Content-Type": "text/plain"})
    assert error(again) == (400, "409", "Duplicate")
    used_to_read = await storage.http.get(f"/object/sign/own/{user.id}/a.txt", params={"token": signed["token"]})
    assert error(used_to_read) == (400, "400", "InvalidSignature")
    assert error(await storage.http.put(f"{path}?token=x", content=b"1")) == (400, "400", "InvalidJWT")
