"""Listing, moving, copying and deleting objects, and the buckets around them."""

from __future__ import annotations

import pytest

from tests.contract.storage.client import Storage, error

pytestmark = pytest.mark.anyio


async def test_a_list_shows_one_level_of_what_the_caller_sees(storage: Storage) -> None:
    user, other = storage.user(), storage.user()
    for name in ("b.txt", "a.txt", "x/1.txt", "x/2.txt"):
        await user.upload(f"own/{user.id}/{name}", b"12345")

    entries = (await user.send("POST", "/object/list/own", json={"prefix": user.id})).json()
    inner = (
        await user.send("POST", "/object/list/own", json={"prefix": f"{user.id}/x/", "limit": 1, "offset": 1})
    ).json()
    hidden = (await other.send("POST", "/object/list/own", json={"prefix": user.id})).json()

    assert [entry["name"] for entry in entries] == ["a.txt", "b.txt", "x"]
    assert entries[0]["metadata"]["size"] == 5
    assert entries[2] == dict.fromkeys(["id", "updated_at", "created_at", "last_accessed_at", "metadata"]) | {
        "name": "x"
    }
    assert [entry["name"] for entry in inner] == ["2.txt"]
    assert hidden == []


async def test_a_list_is_sorted_and_searched_as_asked(storage: Storage) -> None:
    service = storage.service()
    for name in ("foo1", "Foo2", "bar"):
        await service.upload(f"own/{name}")
    order = {"column": "created_at", "order": "desc"}

    found = await service.send("POST", "/object/list/own", json={"prefix": "", "search": "foo", "sortBy": order})

    assert [entry["name"] for entry in found.json()] == ["Foo2", "foo1"]


async def test_deleting_takes_only_what_the_caller_may_delete(storage: Storage) -> None:
    user, other = storage.user(), storage.user()
    for owner in (user, other):
        await owner.upload(f"own/{owner.id}/a")

    answer = await user.send("DELETE", "/object/own", json={"prefixes": [f"{user.id}/a", f"{other.id}/a", "none"]})

    assert [row["name"] for row in answer.json()] == [f"{user.id}/a"]
    (left,) = storage.rows()
    assert (left["name"], storage.files()) == (f"{other.id}/a", [left["version"]])


async def test_one_object_is_deleted_by_its_owner(storage: Storage) -> None:
    user, other = storage.user(), storage.user()
    path = f"/object/own/{user.id}/a"
    await user.upload(f"own/{user.id}/a")

    assert error(await other.send("DELETE", path)) == (400, "403", "Unauthorized")
    assert (await user.send("DELETE", path)).json() == {"message": "Successfully deleted"}
    assert error(await user.send("DELETE", path)) == (400, "404", "not_found")
    assert storage.files() == []


async def test_a_copy_lives_on_without_its_original(storage: Storage) -> None:
    service = storage.service()
    await service.upload("own/a", b"12345")
    body = {"bucketId": "own", "sourceKey": "a", "destinationKey": "b", "destinationBucket": "open"}

    assert (await service.send("POST", "/object/copy", json=body)).json()["Key"] == "open/b"
    await service.send("DELETE", "/object/own/a")

    assert (await storage.http.get("/object/public/open/b")).content == b"12345"


async def test_a_copy_and_a_move_obey_the_policies(storage: Storage) -> None:
    user, other = storage.user(), storage.user()
    await user.upload(f"own/{user.id}/a")
    theft = {"bucketId": "own", "sourceKey": f"{user.id}/a", "destinationKey": f"{other.id}/a"}

    assert error(await other.send("POST", "/object/copy", json=theft)) == (400, "404", "not_found")
    assert error(await user.send("POST", "/object/copy", json=theft)) == (400, "403", "Unauthorized")
    assert error(await other.send("POST", "/object/move", json=theft)) == (400, "404", "not_found")
    assert len(storage.files()) == 1


async def test_a_moved_object_keeps_its_content(storage: Storage) -> None:
    service = storage.service()
    await service.upload("own/a", b"12345")
    body = {"bucketId": "own", "sourceKey": "a", "destinationKey": "deep/b"}

    answer = await service.send("POST", "/object/move", json=body)

    assert answer.json()["message"] == "Successfully moved"
    assert (await service.send("GET", "/object/own/deep/b")).content == b"12345"
    assert error(await service.send("GET", "/object/own/a")) == (400, "404", "not_found")


async def test_the_service_role_makes_changes_and_deletes_buckets(storage: Storage) -> None:
    service = storage.service()
    body = {"id": "new", "name": "new", "file_size_limit": "1MB", "allowed_mime_types": ["image/png"]}
    assert (await service.send("POST", "/bucket", json=body)).json() == {"name": "new"}
    assert error(await service.send("POST", "/bucket", json=body)) == (400, "409", "Duplicate")

    await service.send("PUT", "/bucket/new", json={"id": "new", "name": "new", "public": True})
    shown = (await service.send("GET", "/bucket/new")).json()

    assert (shown["public"], shown["file_size_limit"], shown["allowed_mime_types"]) == (True, 1_000_000, ["image/png"])
    assert (shown["owner"], shown["type"]) == ("", "STANDARD")
    listed = [bucket["id"] for bucket in (await service.send("GET", "/bucket")).json()]
    assert listed == ["new", "open", "own", "pictures"]
    assert (await service.send("DELETE", "/bucket/new", json={})).json() == {"message": "Successfully deleted"}
    assert error(await service.send("GET", "/bucket/new")) == (400, "404", "Bucket not found")


async def test_a_bucket_is_emptied_before_it_is_deleted(storage: Storage) -> None:
    service = storage.service()
    await service.upload("own/a")
    refused = await service.send("DELETE", "/bucket/own", json={})
    assert error(refused) == (400, "409", "ResourceNotEmpty")

    assert (await service.send("POST", "/bucket/own/empty", json={})).status_code == 200

    assert storage.files() == []
    assert (await service.send("DELETE", "/bucket/own", json={})).status_code == 200


async def test_users_see_and_make_no_buckets_without_a_policy(storage: Storage) -> None:
    user = storage.user()
    assert (await user.send("GET", "/bucket")).json() == []
    assert error(await user.send("GET", "/bucket/own")) == (400, "404", "Bucket not found")
    assert error(await user.send("POST", "/bucket", json={"name": "mine"})) == (400, "403", "Unauthorized")
    assert error(await user.send("DELETE", "/bucket/open", json={})) == (400, "404", "Bucket not found")


@pytest.mark.parametrize("body", [{"name": "a/b"}, {"name": ""}, {}, {"name": "a", "file_size_limit": "big"}])
async def test_a_bucket_that_makes_no_sense_is_refused(storage: Storage, body: dict[str, str]) -> None:
    assert error(await storage.service().send("POST", "/bucket", json=body))[:2] == (400, "400")
