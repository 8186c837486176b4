"""Configuration of the analyses: the only module of the application that reads the environment."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from analysis_worker import ConfigurationError
from maxnutrition.detection.hints import BoxFormat

ProviderName = Literal["gemini", "openai", "ollama"]
Order = Annotated[tuple[ProviderName, ...], Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Dollars = Annotated[Decimal, Field(gt=0, le=1_000_000)]
_PerMillion = Annotated[Decimal, Field(ge=0, le=10_000)]


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must start with http:// or https:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold no user, password, query or fragment: keys have settings of their own")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class Price(BaseModel):
    """US dollars per million tokens. Output includes what the model thinks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: _PerMillion
    cached_input: _PerMillion
    output: _PerMillion


GEMINI_PRICES = {
    "gemini-3.5-flash-lite": Price(input=Decimal("0.30"), cached_input=Decimal("0.03"), output=Decimal("2.50")),
    # The regular price: what is charged less until the end of 2026 must not let a budget be overrun afterwards.
    "gemini-3.8-flash": Price(input=Decimal("1.50"), cached_input=Decimal("0.15"), output=Decimal("7.50")),
}


class AnalysisSettings(BaseSettings):
    """From `MAXNUTRITION_*`. A provider without its key or URL does not exist; lists and mappings are JSON."""

    model_config = SettingsConfigDict(
        env_prefix="MAXNUTRITION_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    gemini_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("MAXNUTRITION_GEMINI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
    )
    """Gemini's key."""
    gemini_url: BaseUrl = "https://generativelanguage.googleapis.com"
    """Where Gemini is."""
    gemini_model: str = "gemini-3.5-flash-lite"
    """For chats and food."""
    gemini_exam_model: str = "gemini-3.8-flash"
    """For lab reports."""
    gemini_thinking: Literal["minimal", "low", "medium", "high"] = "low"
    """How much Gemini thinks before it answers."""

    openai_url: BaseUrl | None = None
    """An endpoint that speaks OpenAI's chat API, without the `/v1` of its paths."""
    openai_api_key: SecretStr | None = None
    """Its key, where it wants one."""
    openai_model: str | None = None
    """Its model for words."""
    openai_vision_model: str | None = None
    """Its model for pictures."""

    ollama_url: BaseUrl | None = None
    """Where Ollama is."""
    ollama_model: str | None = None
    """Ollama's model for words."""
    ollama_vision_model: str | None = None
    """Ollama's model for pictures."""
    ollama_context_tokens: int = Field(default=8192, ge=1024, le=1_048_576)
    """The context that Ollama is told to open."""
    ollama_parallel: int = Field(default=1, ge=1, le=64)
    """What OLLAMA_NUM_PARALLEL is on the server: more than that at once it refuses."""

    yolo_url: BaseUrl | None = None
    """The detector that gives hints for photos of food; without it they are read without hints."""
    yolo_box_format: BoxFormat = BoxFormat.CORNER_AND_SIZE
    """How the detector gives boxes: corner and size, or two corners."""

    foods_file: Path | None = None
    """More foods than those of the package, as `analysis-worker foods import` writes them."""

    provider_order: Order = ("gemini", "openai", "ollama")
    """JSON: whom to ask first, and who stands in."""
    provider_order_by_type: dict[str, Order] = Field(default_factory=dict)
    """JSON: another order for some job types."""

    call_seconds: Seconds = 45.0
    """For one call of a model, whole."""
    idle_seconds: Seconds = 30.0
    """Without a byte from the provider, the first included."""
    breaker_failures: int = Field(default=5, ge=1, le=1000)
    """So many failures in a row, and a provider is left alone."""
    breaker_seconds: Seconds = 30.0
    """Before one call tries again."""

    prices: dict[str, Price] = Field(default_factory=dict)
    """JSON: dollars per million tokens by model, over those known here. Of `openai` or `ollama`
    one without a price costs nothing."""
    daily_budget_usd: Dollars | None = None
    """What all jobs of a day (UTC) may cost; none, no limit."""
    daily_user_budget_usd: Dollars | None = None
    """What one user's jobs of a day may cost."""
    over_budget: Literal["defer", "refuse"] = "defer"
    """What becomes of jobs over budget: they wait for the next day, or fail."""

    @field_validator("prices", mode="after")
    @classmethod
    def _over_known_prices(cls, prices: dict[str, Price]) -> dict[str, Price]:
        return GEMINI_PRICES | prices

    @model_validator(mode="before")
    @classmethod
    def _always_priced(cls, values: Any) -> Any:
        """A default is not validated, and the known prices are merged by the validator."""
        return {"prices": {}, **values} if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _providers_are_whole(self) -> Self:
        for url, models, names in (
            (self.openai_url, (self.openai_model, self.openai_vision_model), "OPENAI"),
            (self.ollama_url, (self.ollama_model, self.ollama_vision_model), "OLLAMA"),
        ):
            if url is not None and not any(models):
                raise ValueError(f"MAXNUTRITION_{names}_URL needs MAXNUTRITION_{names}_MODEL or _VISION_MODEL")
            if url is None and any(models):
                raise ValueError(f"MAXNUTRITION_{names}_MODEL needs MAXNUTRITION_{names}_URL")
        return self

    @model_validator(mode="after")
    def _gemini_is_priced(self) -> Self:
        """Its calls cost money, and a budget that does not see them is none."""
        for model in (self.gemini_model, self.gemini_exam_model):
            if self.gemini_api_key is not None and model not in self.prices:
                raise ValueError(f"MAXNUTRITION_PRICES has no price for {model}")
        return self

    def order_for(self, job_type: str) -> tuple[ProviderName, ...]:
        return self.provider_order_by_type.get(job_type, self.provider_order)


def read_settings() -> AnalysisSettings:
    """From the environment. Raises ConfigurationError with every problem and the variable it is in, without values."""
    try:
        return AnalysisSettings()
    except ValidationError as error:
        problems = [
            f"{_variable_of(problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise ConfigurationError("; ".join(problems)) from None


def _variable_of(location: tuple[int | str, ...]) -> str:
    name = str(location[0]).upper() if location else "settings"
    return name if not location or name.startswith("MAXNUTRITION_") else f"MAXNUTRITION_{name}"
