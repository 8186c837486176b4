"""What PostgREST itself says to browsers: everything is allowed."""

from __future__ import annotations

from supabase_local.rest.errors import Headers
from supabase_local.rest.replies import Reply
from supabase_local.rest.request import Raw

_METHODS = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD"
_ALWAYS_ALLOWED = ("Accept", "Accept-Language", "Content-Language")
_EXPOSED = (
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, "
    "Range-Unit"
)


def is_preflight(raw: Raw) -> bool:
    return raw.method == "OPTIONS" and "origin" in raw.headers and "access-control-request-method" in raw.headers


def preflight(raw: Raw) -> Reply:
    asked = (name.strip() for name in raw.headers.get("access-control-request-headers", "").split(","))
    allowed = ", ".join(["Authorization", *filter(None, asked), *_ALWAYS_ALLOWED])
    headers = (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", allowed),
        ("Access-Control-Max-Age", "86400"),
    )
    return Reply(200, headers)


def cors_headers(raw: Raw) -> Headers:
    """For every other request that a browser sends from a page."""
    if "origin" not in raw.headers or raw.method == "OPTIONS":
        return ()
    return (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _EXPOSED))
