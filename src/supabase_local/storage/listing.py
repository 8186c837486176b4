"""One level of a bucket's tree: names with a further slash fold into folders."""

from __future__ import annotations

from typing import Any

from supabase_local.storage.bodies import ListObjects
from supabase_local.storage.objects import row_json

_SHOWN = ("id", "updated_at", "created_at", "last_accessed_at", "metadata")
_FOLDER: dict[str, Any] = dict.fromkeys(_SHOWN)


def folder_prefix(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def one_level(rows: list[dict[str, Any]], query: ListObjects) -> list[dict[str, Any]]:
    """The entries directly under the query's prefix, of rows whose names all begin with it."""
    prefix = folder_prefix(query.prefix)
    folders: dict[str, dict[str, Any]] = {}
    files: list[dict[str, Any]] = []
    for row in map(row_json, rows):
        name, slash, _ = row["name"].removeprefix(prefix).partition("/")
        if slash:
            folders[name] = {"name": name, **_FOLDER}
        else:
            files.append({"name": name, **{column: row[column] for column in _SHOWN}})
    found = [e for e in [*folders.values(), *files] if e["name"].lower().startswith(query.search.lower())]
    return _sorted(found, query)[query.offset : query.offset + query.limit]


def _sorted(entries: list[dict[str, Any]], query: ListObjects) -> list[dict[str, Any]]:
    """Folders have no times: by time they come first."""
    by_name = sorted(entries, key=lambda entry: str(entry["name"]))
    return sorted(by_name, key=lambda entry: entry[query.sortBy.column] or "", reverse=query.sortBy.order == "desc")
