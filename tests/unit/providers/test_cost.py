from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxnutrition.providers.cost import cost_micro_usd
from maxnutrition.providers.port import Usage
from maxnutrition.settings import Price

PRICE = Price(input=Decimal("0.30"), cached_input=Decimal("0.03"), output=Decimal("2.50"))
TOKENS = st.integers(min_value=0, max_value=10_000_000)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(), 0),
        (Usage(input_tokens=1_000_000), 300_000),
        (Usage(input_tokens=1_000_000, cached_tokens=1_000_000), 30_000),
        (Usage(output_tokens=1_000_000), 2_500_000),
        (Usage(input_tokens=1), 1),
        (Usage(input_tokens=1000, cached_tokens=200, output_tokens=120), 546),
        (Usage(input_tokens=5, cached_tokens=9), 1),
    ],
)
def test_a_call_costs_its_tokens_rounded_up(usage: Usage, cost: int) -> None:
    assert cost_micro_usd(usage, PRICE) == cost


@given(TOKENS, TOKENS, TOKENS)
def test_rounding_never_costs_a_whole_micro_dollar(fresh: int, cached: int, output: int) -> None:
    exact = fresh * PRICE.input + cached * PRICE.cached_input + output * PRICE.output
    assert 0 <= cost_micro_usd(Usage(fresh + cached, cached, output), PRICE) - exact < 1
