"""The JSON bodies of Storage requests."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from supabase_local.storage.errors import StorageError, invalid_request

_SIZE = re.compile(r"(\d+(?:\.\d+)?)(gb|mb|kb|b)", re.IGNORECASE)
_UNITS = {"gb": 10**9, "mb": 10**6, "kb": 1000, "b": 1}
MAX_NAMES = 1000


def _size_in_bytes(value: int | str | None) -> int | None:
    if not isinstance(value, str):
        return value
    if (match := _SIZE.fullmatch(value)) is None:
        raise invalid_request("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B")
    return int(float(match[1]) * _UNITS[match[2].lower()])


FileSize = Annotated[int | str | None, AfterValidator(_size_in_bytes)]
Names = Annotated[list[str], Field(min_length=1, max_length=MAX_NAMES)]


class NewBucket(BaseModel):
    name: str
    id: str | None = None
    public: bool = False
    file_size_limit: FileSize = None
    allowed_mime_types: list[str] | None = None


class BucketChanges(BaseModel):
    public: bool | None = None
    file_size_limit: FileSize = None
    allowed_mime_types: list[str] | None = None


class SortBy(BaseModel):
    column: Literal["name", "updated_at", "created_at", "last_accessed_at"] = "name"
    order: Literal["asc", "desc"] = "asc"


class ListObjects(BaseModel):
    prefix: str
    limit: int = Field(default=100, ge=1)
    offset: int = Field(default=0, ge=0)
    sortBy: SortBy = Field(default_factory=SortBy)  # noqa: N815 - the name on the wire
    search: str = ""


class SignObject(BaseModel):
    expiresIn: int = Field(ge=1)  # noqa: N815


class SignObjects(BaseModel):
    expiresIn: int = Field(ge=1)  # noqa: N815
    paths: Names


class DeleteObjects(BaseModel):
    prefixes: Names


class Transfer(BaseModel):
    """A move or a copy."""

    bucketId: str  # noqa: N815
    sourceKey: str  # noqa: N815
    destinationKey: str  # noqa: N815
    destinationBucket: str | None = None  # noqa: N815


Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: web.Request, model: type[Body]) -> Body:
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(["body", *map(str, first["loc"])])
        raise StorageError(400, "InvalidRequest", f"{place} {first['msg']}", "Error") from error
