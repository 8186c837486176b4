"""Pass a request on to a function and its answer back, both as they come."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import ClientConnectionError, ClientConnectorError, ClientError, ClientSession, hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy

from supabase_local.functions.errors import idle_timeout, worker_failed

_OF_ONE_CONNECTION = frozenset(
    name.lower()
    for name in (
        hdrs.CONNECTION,
        hdrs.EXPECT,
        hdrs.HOST,
        hdrs.KEEP_ALIVE,
        hdrs.PROXY_AUTHENTICATE,
        hdrs.PROXY_AUTHORIZATION,
        hdrs.TE,
        hdrs.TRAILER,
        hdrs.TRANSFER_ENCODING,
        hdrs.UPGRADE,
    )
)
_NOT_ADDED = (hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE)


class Deserted(Exception):  # noqa: N818 - nothing of the request was sent, so that it may be sent elsewhere
    """Nobody listens there."""


async def pass_on(request: web.Request, session: ClientSession, url: str, unseen: Iterable[str]) -> web.StreamResponse:
    """`unseen` are headers that the function does not get to see. Raises Deserted where nobody listens at `url`."""
    hidden = {name.lower() for name in unseen}
    headers = _own(request.headers, hidden)
    body = request.content if request.body_exists else None
    try:
        answer = await session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False, skip_auto_headers=_NOT_ADDED
        )
    except ClientConnectorError as error:
        raise Deserted from error
    except TimeoutError:
        return idle_timeout()
    except (ClientError, ConnectionError):
        return worker_failed()
    async with answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_own(answer.headers, set()))
        await response.prepare(request)
        try:
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
        except (ClientConnectionError, ClientError, TimeoutError):
            _cut(request)  # half an answer must not look like a whole one
        return response


def _own(headers: CIMultiDictProxy[str], hidden: set[str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in headers.get(hdrs.CONNECTION, "").split(",")}
    dropped = _OF_ONE_CONNECTION | named | hidden
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
