"""What several job types share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Confidence = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class Contract(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoredFile(Contract):
    """An object in Supabase Storage; that it belongs to the caller is checked when the job is enqueued."""

    bucket: Literal["analysis-inputs"] = "analysis-inputs"
    path: Annotated[str, StringConstraints(min_length=1, max_length=512)]

    @field_validator("path")
    @classmethod
    def stays_inside_the_bucket(cls, path: str) -> str:
        if not path.isprintable() or "\\" in path:
            raise ValueError("path has characters that are not allowed")
        if any(part in {"", ".", ".."} for part in path.split("/")):
            raise ValueError("path has an empty or relative part")
        return path
