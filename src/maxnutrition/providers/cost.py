"""What a call cost."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from maxnutrition.providers.port import Usage
from maxnutrition.settings import Price

MICRO = 1_000_000


def cost_micro_usd(usage: Usage, price: Price) -> int:
    """Millionths of a dollar, rounded up: a price per million tokens is one in micro-dollars per token."""
    fresh = max(0, usage.input_tokens - usage.cached_tokens)
    cost = fresh * price.input + usage.cached_tokens * price.cached_input + usage.output_tokens * price.output
    return int(Decimal(cost).to_integral_value(ROUND_CEILING))
