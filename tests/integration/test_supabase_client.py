"""The unmodified `supabase` package against a whole local stack."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest
from postgrest import CountMethod
from postgrest.exceptions import APIError
from realtime import RealtimePostgresChangesListenEvent
from storage3.exceptions import StorageApiError
from supabase import AsyncClient, AsyncClientOptions, acreate_client
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from supabase_local.directory import StackVariables

pytestmark = pytest.mark.anyio

NOTES = """
    create table public.notes (
        id bigint generated always as identity primary key,
        user_id uuid not null default auth.uid(),
        slug text unique,
        body text not null
    );
    alter table public.notes enable row level security;
    create policy "own notes" on public.notes to authenticated
        using (user_id = auth.uid()) with check (user_id = auth.uid());
    alter publication supabase_realtime add table public.notes;
    create function public.whoami() returns jsonb language sql stable as
        $$ select jsonb_build_object('uid', auth.uid(), 'role', auth.role(), 'email', auth.email()) $$;
    create function public.shout(word text) returns text language sql stable as $$ select upper(word) $$;
    notify pgrst, 'reload schema';
"""


@pytest.fixture(scope="module")
def notes(stack: StackVariables) -> None:
    with psycopg.connect(stack.db_url) as connection:
        connection.execute(NOTES.encode())
    deadline = time.monotonic() + 10
    while httpx.post(f"{stack.api_url}/rest/v1/rpc/whoami", headers={"apikey": stack.anon_key}).is_error:
        assert time.monotonic() < deadline, "the new functions did not become known"
        time.sleep(0.05)


class Clients:
    """Clients that are closed together: each has an HTTP client of its own."""

    def __init__(self, variables: StackVariables) -> None:
        self._variables = variables
        self._open: list[httpx.AsyncClient] = []

    async def make(self, key: str | None = None) -> AsyncClient:
        http = httpx.AsyncClient(timeout=20)
        self._open.append(http)
        options = AsyncClientOptions(httpx_client=http, auto_refresh_token=False)
        return await acreate_client(self._variables.api_url, key or self._variables.publishable_key, options)

    async def user(self) -> tuple[AsyncClient, str]:
        """A client that is signed in anonymously, and the user's id."""
        client = await self.make()
        answer = await client.auth.sign_in_anonymously()
        assert answer.user is not None
        return client, answer.user.id

    async def close(self) -> None:
        for http in self._open:
            await http.aclose()


@pytest.fixture
async def clients(stack: StackVariables) -> AsyncIterator[Clients]:
    opened = Clients(stack)
    yield opened
    await opened.close()


async def test_every_kind_of_key_has_its_role(stack: StackVariables, notes: None, clients: Clients) -> None:
    roles = {}
    for key in ("anon_key", "publishable_key", "service_role_key", "secret_key"):
        client = await clients.make(getattr(stack, key))
        roles[key] = (await data(client.rpc("whoami")))["role"]

    assert roles == {
        "anon_key": "anon",
        "publishable_key": "anon",
        "service_role_key": "service_role",
        "secret_key": "service_role",
    }


async def test_a_wrong_key_is_refused(clients: Clients) -> None:
    client = await clients.make("sb_publishable_wrong")

    with pytest.raises(AuthApiError) as refused:
        await client.auth.sign_in_anonymously()
    assert (refused.value.status, refused.value.message) == (401, "Invalid authentication credentials")


async def test_a_password_user_signs_up_in_and_out(notes: None, clients: Clients) -> None:
    email = f"{uuid4().hex}@example.com"
    client = await clients.make()
    await client.auth.sign_up({"email": email, "password": "segredo1", "options": {"data": {"name": "Ana"}}})
    await client.auth.sign_out()
    with pytest.raises(AuthApiError) as refused:
        await client.auth.sign_in_with_password({"email": email, "password": "errado12"})
    assert (refused.value.status, refused.value.code) == (400, "invalid_credentials")

    signed_in = await client.auth.sign_in_with_password({"email": email, "password": "segredo1"})

    user = await client.auth.get_user()
    assert user is not None
    assert signed_in.user is not None
    assert (user.user.id, user.user.email, user.user.user_metadata["name"]) == (signed_in.user.id, email, "Ana")
    assert await data(client.rpc("whoami")) == {
        "uid": user.user.id,
        "role": "authenticated",
        "email": email,
    }


async def test_a_weak_password_is_its_own_error(clients: Clients) -> None:
    client = await clients.make()

    with pytest.raises(AuthWeakPasswordError) as refused:
        await client.auth.sign_up({"email": "weak@example.com", "password": "123"})
    assert refused.value.reasons == ["length"]


async def test_an_anonymous_session_is_refreshed_and_becomes_permanent(clients: Clients) -> None:
    client, user_id = await clients.user()
    before = await client.auth.get_session()

    refreshed = await client.auth.refresh_session()
    updated = await client.auth.update_user({"email": f"{uuid4().hex}@example.com", "password": "segredo1"})

    assert before is not None
    assert refreshed.session is not None
    assert refreshed.session.refresh_token != before.refresh_token
    assert (updated.user.id, updated.user.is_anonymous) == (user_id, False)
    claims = await client.auth.get_claims()
    assert claims is not None
    assert claims["claims"]["sub"] == user_id


async def test_the_service_role_administers_users(stack: StackVariables, clients: Clients) -> None:
    admin = (await clients.make(stack.secret_key)).auth.admin
    email = f"{uuid4().hex}@example.com"

    created = await admin.create_user({"email": email, "password": "segredo1", "email_confirm": True})

    assert created.user.id in {user.id for user in await admin.list_users(per_page=1000)}
    assert (await admin.get_user_by_id(created.user.id)).user.email == email
    await admin.delete_user(created.user.id)
    with pytest.raises(AuthApiError) as missing:
        await admin.get_user_by_id(created.user.id)
    assert missing.value.code == "user_not_found"


async def test_rows_are_inserted_read_changed_and_deleted(notes: None, clients: Clients) -> None:
    client, user_id = await clients.user()
    table, slug = client.table("notes"), uuid4().hex

    (inserted,) = await data(table.insert({"body": "um", "slug": slug}))
    assert (inserted["user_id"], inserted["body"]) == (user_id, "um")
    (upserted,) = await data(table.upsert({"slug": slug, "body": "dois"}, on_conflict="slug"))
    assert (upserted["id"], upserted["body"]) == (inserted["id"], "dois")
    await table.update({"body": "três"}).eq("id", inserted["id"]).execute()
    found = await table.select("id, body", count=CountMethod.exact).eq("slug", slug).single().execute()
    assert found.data == {"id": inserted["id"], "body": "três"}
    assert len(await data(table.delete().eq("id", inserted["id"]))) == 1
    assert await data(table.select("*")) == []


async def test_rows_of_others_are_invisible_and_untouchable(notes: None, clients: Clients) -> None:
    owner, owner_id = await clients.user()
    other, _ = await clients.user()
    await owner.table("notes").insert({"body": "meu"}).execute()

    assert await data(other.table("notes").select("*")) == []
    assert await data(other.table("notes").update({"body": "x"}).eq("user_id", owner_id)) == []
    with pytest.raises(APIError) as refused:
        await other.table("notes").insert({"body": "x", "user_id": owner_id}).execute()
    assert refused.value.code == "42501"
    assert await data(owner.table("notes").select("body")) == [{"body": "meu"}]


async def test_functions_are_called_and_their_absence_said(notes: None, clients: Clients) -> None:
    client = await clients.make()

    assert await data(client.rpc("shout", {"word": "olá"})) == "OLÁ"
    with pytest.raises(APIError) as missing:
        await client.rpc("no_such_function").execute()
    assert missing.value.code == "PGRST202"


async def test_our_own_functions_say_who_may_not_enqueue(clients: Clients) -> None:
    client = await clients.make()
    with pytest.raises(APIError) as refused:
        await client.rpc("enqueue_analysis", {"type": "medical_exam", "input": {}}).execute()
    assert refused.value.code in {"PT401", "42501"}


async def test_a_file_is_uploaded_read_signed_and_removed(clients: Clients, tmp_path: Path) -> None:
    client, user_id = await clients.user()
    bucket, path = client.storage.from_("analysis-inputs"), f"{user_id}/exame 1.png"
    picture = tmp_path / "exame.png"
    picture.write_bytes(b"\x89PNG" * 300_000)

    stored = await bucket.upload(path, picture, {"content-type": "image/png", "metadata": {"lab": "x"}})

    assert stored.full_path == f"analysis-inputs/{path}"
    assert await bucket.download(path) == picture.read_bytes()
    assert (await bucket.info(path))["metadata"] == {"lab": "x"}
    assert [entry["name"] for entry in await bucket.list(user_id)] == ["exame 1.png"]
    signed = await bucket.create_signed_url(path, 60)
    assert signed["signedURL"] is not None
    async with httpx.AsyncClient() as http:
        assert (await http.get(signed["signedURL"])).content == picture.read_bytes()
    await bucket.remove([path])
    assert not await bucket.exists(path)


async def test_files_of_others_cannot_be_read_replaced_or_signed(clients: Clients) -> None:
    owner, owner_id = await clients.user()
    other, _ = await clients.user()
    path = f"{owner_id}/a.pdf"
    pdf: Any = {"content-type": "application/pdf"}
    await owner.storage.from_("analysis-inputs").upload(path, b"%PDF", pdf)
    stranger = other.storage.from_("analysis-inputs")

    answers = [
        await _refusal(stranger.download(path)),
        await _refusal(stranger.upload(path, b"%PDF", pdf)),
        await _refusal(stranger.update(path, b"%PDF", pdf)),
        await _refusal(stranger.create_signed_url(path, 60)),
    ]

    unauthorized, hidden = ("403", "Unauthorized"), ("404", "not_found")
    assert answers == [hidden, unauthorized, unauthorized, hidden]
    assert await stranger.remove([path]) == []
    assert await owner.storage.from_("analysis-inputs").download(path) == b"%PDF"


async def test_a_bucket_refuses_what_is_too_large_or_of_another_type(clients: Clients) -> None:
    client, user_id = await clients.user()
    bucket = client.storage.from_("analysis-inputs")

    large = await _refusal(bucket.upload(f"{user_id}/a", b"x" * (20 * 1024 * 1024 + 1), {"content-type": "image/png"}))
    text = await _refusal(bucket.upload(f"{user_id}/a", b"x", {"content-type": "text/plain"}))

    assert large == ("413", "Payload too large")
    assert text == ("415", "invalid_mime_type")


async def test_a_signed_upload_url_takes_a_file_without_a_session(clients: Clients) -> None:
    client, user_id = await clients.user()
    stranger = await clients.make()
    path = f"{user_id}/a.png"
    signed = await client.storage.from_("analysis-inputs").create_signed_upload_url(path)

    await stranger.storage.from_("analysis-inputs").upload_to_signed_url(
        path, signed["token"], b"\x89PNG", {"content-type": "image/png"}
    )

    assert await client.storage.from_("analysis-inputs").download(path) == b"\x89PNG"


async def test_a_subscriber_sees_own_inserts_live_and_no_others(notes: None, clients: Clients) -> None:
    client, user_id = await clients.user()
    other, _ = await clients.user()
    seen: asyncio.Queue[Any] = asyncio.Queue()
    ready = asyncio.Event()

    def on_system(message: Any) -> None:
        if "Subscribed to PostgreSQL" in json.dumps(message, default=str):
            ready.set()

    channel = client.channel(f"notes-{uuid4().hex}")
    inserts = RealtimePostgresChangesListenEvent.Insert
    channel.on_postgres_changes(inserts, schema="public", table="notes", callback=seen.put_nowait)
    channel.on_system(on_system)
    try:
        await channel.subscribe()
        with anyio.fail_after(20):
            await ready.wait()
            await other.table("notes").insert({"body": "de outro"}).execute()
            await client.table("notes").insert({"body": "ao vivo"}).execute()
            event = await seen.get()
    finally:
        await client.remove_all_channels()
        await client.realtime.close()

    record = event["data"]["record"]
    assert (event["data"]["type"], record["body"], record["user_id"]) == ("INSERT", "ao vivo", user_id)
    assert seen.empty()


async def data(query: Any) -> Any:
    return (await query.execute()).data


async def _refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(StorageApiError) as refused:
        await call
    return str(refused.value.status), refused.value.code
