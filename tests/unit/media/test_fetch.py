"""Fetching from names that resolve by a table and servers on loopback; no test reaches another machine."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from analysis_worker import PermanentError, RetryableError
from maxnutrition.media.fetch import FetchLimits
from tests.unit.media.web import PUBLIC, Site, site

pytestmark = pytest.mark.anyio
pytest.importorskip("cryptography", reason="certificates for the server on loopback")

NAMES: dict[str, list[list[str]]] = {
    "files.example": [[PUBLIC]],
    "other.example": [["2606:2800:220:1::1"]],
    "unlisted.example": [[PUBLIC]],
    "inside.example": [["10.0.0.7"]],
    "mixed.example": [[PUBLIC, "127.0.0.1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "metadata.example": [["169.254.169.254"]],
    "nobody.example": [[]],
}
SECRET = "https://files.example/file?token=hunter2"


def to(location: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    return redirect


async def file(_: web.Request) -> web.Response:
    return web.Response(body=b"the file")


async def hop(request: web.Request) -> web.Response:
    left = int(request.match_info["left"])
    return web.Response(status=307, headers={"Location": f"/hop/{left - 1}"}) if left else web.Response(body=b"there")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


async def silent(_: web.Request) -> web.Response:
    await anyio.sleep_forever()
    raise AssertionError


async def packed(_: web.Request) -> web.Response:
    return web.Response(body=b"\x1f\x8b bomb", headers={"Content-Encoding": "gzip"})


def status(code: int) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=code, text="hunter2")

    return answer


REDIRECTS = {
    "http": "http://files.example/file",
    "loopback": "https://127.0.0.1/file",
    "inside": "https://inside.example/file",
    "file": "file:///etc/passwd",
    "userinfo": "https://user:hunter2@files.example/file",
    "port": "https://files.example:8443/file",
    "nowhere": "",
}


@pytest.fixture
async def web_site(tmp_path: Path) -> AsyncIterator[Site]:
    app = web.Application()
    app.router.add_get("/file", file)
    app.router.add_get("/hop/{left}", hop)
    app.router.add_get("/endless", endless)
    app.router.add_get("/silent", silent)
    app.router.add_get("/packed", packed)
    app.router.add_get("/elsewhere", to("https://other.example/file"))
    for name, location in REDIRECTS.items():
        app.router.add_get(f"/to/{name}", to(location))
    for code in (204, 401, 404, 410, 429, 500, 503):
        app.router.add_get(f"/status/{code}", status(code))
    names = {name: list(answers) for name, answers in NAMES.items()}
    async with site(app, tmp_path, names, FetchLimits(max_bytes=1_000_000, timeout_seconds=5)) as running:
        yield running


async def refusal(web_site: Site, url: str) -> str:
    with pytest.raises((PermanentError, RetryableError)) as caught:
        await web_site.fetcher.fetch(url)
    return f"{type(caught.value).__name__} {caught.value.code}"


async def test_the_connection_goes_to_the_checked_address_and_tls_asks_for_the_name(web_site: Site) -> None:
    assert await web_site.fetcher.fetch(SECRET) == b"the file"
    assert web_site.dialler.dialled == [(PUBLIC, 443)]
    assert web_site.names.asked == ["files.example"]
    [request] = web_site.requests
    assert request.headers["Host"] == "files.example"
    assert not {"Authorization", "Cookie", "Referer"} & set(request.headers)


async def test_a_certificate_for_another_name_is_not_trusted(web_site: Site) -> None:
    assert await refusal(web_site, "https://unlisted.example/file") == "RetryableError url_unavailable"
    assert web_site.requests == []


@pytest.mark.parametrize("host", ["inside", "mixed", "mapped", "nat64", "metadata", "nobody"])
async def test_names_that_lead_inside_are_refused_before_anything_is_dialled(web_site: Site, host: str) -> None:
    assert await refusal(web_site, f"https://{host}.example/file") == "PermanentError url_refused"
    assert web_site.dialler.dialled == []


async def test_a_name_that_changes_its_address_is_checked_each_time(web_site: Site) -> None:
    web_site.names.table["files.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert await refusal(web_site, "https://files.example/hop/1") == "PermanentError url_refused"
    assert web_site.dialler.dialled == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/file",
        "ftp://files.example/file",
        "file:///etc/passwd",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://93.184.216.34/",
        "https://localhost/",
        "https://user:hunter2@files.example/file",
        "https://files.example@inside.example/file",
        "https://files.example:22/",
        "https://files.example:8443/file",
        "https:///file",
        "https://",
        "//files.example/file",
        "",
        "not a url",
        "https://files.example\r\nHost: inside.example/",
    ],
)
async def test_anything_but_https_to_a_name_is_refused(web_site: Site, url: str) -> None:
    assert await refusal(web_site, url) == "PermanentError url_refused"
    assert web_site.dialler.dialled == []
    assert web_site.names.asked in ([], ["inside.example"])


@pytest.mark.parametrize("name", REDIRECTS)
async def test_a_redirect_is_checked_like_any_url(web_site: Site, name: str) -> None:
    assert await refusal(web_site, f"https://files.example/to/{name}") == "PermanentError url_refused"
    assert web_site.dialler.dialled == [(PUBLIC, 443)]


async def test_three_redirects_are_followed_and_no_more(web_site: Site) -> None:
    assert await web_site.fetcher.fetch("https://files.example/hop/3") == b"there"
    assert await refusal(web_site, "https://files.example/hop/4") == "PermanentError url_refused"


async def test_a_redirect_to_another_public_name_is_followed(web_site: Site) -> None:
    assert await web_site.fetcher.fetch("https://files.example/elsewhere") == b"the file"
    assert [address for address, _ in web_site.dialler.dialled] == [PUBLIC, "2606:2800:220:1::1"]


async def test_the_next_address_is_tried_where_one_does_not_answer(web_site: Site) -> None:
    web_site.names.table["files.example"] = [["2606:2800:220:1::dead", PUBLIC]]
    web_site.dialler.unreachable.add("2606:2800:220:1::dead")
    assert await web_site.fetcher.fetch("https://files.example/file") == b"the file"
    assert [address for address, _ in web_site.dialler.dialled] == ["2606:2800:220:1::dead", PUBLIC]


async def test_a_body_without_end_is_cut_at_the_cap(web_site: Site) -> None:
    assert await refusal(web_site, "https://files.example/endless") == "PermanentError file_too_large"


async def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/silent", silent)
    async with site(app, tmp_path, {"files.example": [[PUBLIC]]}, FetchLimits(timeout_seconds=0.3)) as quiet:
        assert await refusal(quiet, "https://files.example/silent") == "RetryableError url_unavailable"


async def test_compressed_bodies_are_not_unpacked(web_site: Site) -> None:
    assert await refusal(web_site, "https://files.example/packed") == "PermanentError url_refused"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (204, "PermanentError file_not_found"),
        (401, "PermanentError file_not_found"),
        (404, "PermanentError file_not_found"),
        (410, "PermanentError file_not_found"),
        (429, "RetryableError url_unavailable"),
        (500, "RetryableError url_unavailable"),
        (503, "RetryableError url_unavailable"),
    ],
)
async def test_errors_say_whether_trying_again_helps(web_site: Site, code: int, verdict: str) -> None:
    assert await refusal(web_site, f"https://files.example/status/{code}") == verdict


async def test_a_name_that_nobody_knows_is_worth_another_attempt(web_site: Site) -> None:
    assert await refusal(web_site, "https://unknown.example/file") == "RetryableError url_unavailable"


@pytest.mark.parametrize("path", ["status/404", "status/500", "to/userinfo", "endless"])
async def test_no_error_tells_the_url(web_site: Site, path: str) -> None:
    with pytest.raises((PermanentError, RetryableError)) as caught:
        await web_site.fetcher.fetch(f"https://files.example/{path}?token=hunter2")
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in f"{error!r} {error}"
        error = error.__cause__


async def test_proxies_of_the_environment_are_not_used(web_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert await web_site.fetcher.fetch(SECRET) == b"the file"
