"""What the platform itself answers in a function's place."""

from __future__ import annotations

from aiohttp import web

_CODE_HEADER = "sb-error-code"


def unauthorized(message: str) -> web.Response:
    return web.json_response({"code": 401, "message": message}, status=401)


def not_found() -> web.Response:
    return _refusal(404, "NOT_FOUND", "Requested function was not found")


def boot_failed(message: str) -> web.Response:
    return _refusal(503, "BOOT_ERROR", message)


def worker_failed() -> web.Response:
    return _refusal(500, "WORKER_ERROR", "Function exited due to an error (please check logs)")


def idle_timeout() -> web.Response:
    return _refusal(504, "IDLE_TIMEOUT", "Function did not answer in time")


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status, headers={_CODE_HEADER: code})
