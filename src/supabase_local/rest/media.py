"""What form the answer takes: chosen from `Accept`, made by the database."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from supabase_local.rest.errors import RestError

Shape = Literal["scalar", "scalars", "row", "rows"]


class Media(Enum):
    """The values are the content types, without charset."""

    JSON = "application/json"
    OBJECT = "application/vnd.pgrst.object+json"
    STRIPPED_OBJECT = "application/vnd.pgrst.object+json;nulls=stripped"
    STRIPPED_ARRAY = "application/vnd.pgrst.array+json;nulls=stripped"
    CSV = "text/csv"
    OPENAPI = "application/openapi+json"

    @property
    def content_type(self) -> str:
        return f"{self.value}; charset=utf-8"

    @property
    def is_single(self) -> bool:
        return self in (Media.OBJECT, Media.STRIPPED_OBJECT)


_BY_NAME = {media.value: media for media in Media if media is not Media.OPENAPI} | {
    "*/*": Media.JSON,
    "application/*": Media.JSON,
    "application/vnd.pgrst.object": Media.OBJECT,
    "application/vnd.pgrst.object;nulls=stripped": Media.STRIPPED_OBJECT,
    "application/vnd.pgrst.array+json": Media.JSON,
    "application/vnd.pgrst.array": Media.JSON,
    "application/vnd.pgrst.array;nulls=stripped": Media.STRIPPED_ARRAY,
}


def choose_media(accept: str) -> Media:
    """The first form that the `Accept` header prefers and that there is; an empty header takes anything."""
    wanted = _by_preference(accept) or ["*/*"]
    for name in wanted:
        if (media := _BY_NAME.get(name)) is not None:
            return media
    raise RestError(406, "PGRST107", f"None of these media types are available: {', '.join(wanted)}")


def _by_preference(accept: str) -> list[str]:
    weighted = []
    for entry in filter(None, (part.strip() for part in accept.split(","))):
        name, *parameters = (part.strip() for part in entry.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        kept = [p for p in parameters if p.startswith("nulls=")]
        weighted.append((quality, ";".join([name, *kept])))
    return [name for _, name in sorted(weighted, key=lambda pair: pair[0], reverse=True)]


def body_sql(media: Media, shape: Shape) -> str:
    """The expression that makes the body from a relation named `page`; scalars are its column `pgrst_scalar`."""
    if media is Media.CSV:
        return _CSV_SCALAR if shape in ("scalar", "scalars") else _CSV
    item = "page.pgrst_scalar" if shape in ("scalar", "scalars") else "page"
    if media in (Media.STRIPPED_OBJECT, Media.STRIPPED_ARRAY) and item == "page":
        item = "json_strip_nulls(row_to_json(page))"
    if media.is_single or shape in ("scalar", "row"):
        return f"coalesce(json_agg({item}) -> 0, 'null')::text"
    return f"coalesce(json_agg({item}), '[]')::text"


_LINES = "string_agg(substring(page::text, 2, length(page::text) - 2), E'\\n')"
_HEADING = "(select string_agg(k, ',') from json_object_keys((select row_to_json(p) from page p limit 1)) k)"
_CSV = f"coalesce({_HEADING} || E'\\n' || {_LINES}, '')"
_CSV_SCALAR = f"coalesce('pgrst_scalar' || E'\\n' || {_LINES}, '')"
