"""Every setting, from the models that read them."""

from __future__ import annotations

from collections.abc import Iterator

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from docs._reference.markdown import code, table

_SIGNS = ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))


def describe_settings(settings: type[BaseSettings]) -> str:
    rows = (
        (
            "<br>".join(map(code, variables_of(settings, name))),
            field.description or "",
            _default(field),
            ", ".join(_bounds(field)),
        )
        for name, field in settings.model_fields.items()
    )
    return table(("variable", "meaning", "default", "range"), rows)


def variables_of(settings: type[BaseSettings], name: str) -> list[str]:
    """The names that the environment may have for a field; the first counts most."""
    alias = settings.model_fields[name].validation_alias
    if isinstance(alias, str):
        return [alias]
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str) and choice.isupper()]
    return [f"{settings.model_config.get('env_prefix', '')}{name}".upper()]


def _default(field: FieldInfo) -> str:
    value = getattr(field.default, "value", field.default)
    if value is PydanticUndefined:
        return "required" if field.is_required() else ""
    if value is None or str(value) == "":
        return ""
    return code(str(value).lower() if isinstance(value, bool) else ", ".join(value) if _is_list(value) else str(value))


def _is_list(value: object) -> bool:
    return isinstance(value, tuple)


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        for kind, attribute, sign in _SIGNS:
            if isinstance(bound, kind):
                yield f"{sign} {getattr(bound, attribute)}"
