"""How long the machine plays: `--hypothesis-profile=soak` for about an hour, games new each time."""

from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "brief", max_examples=60, stateful_step_count=40, deadline=None, derandomize=True, suppress_health_check=_SLOW
)
settings.register_profile(
    "soak", max_examples=5000, stateful_step_count=80, deadline=None, print_blob=True, suppress_health_check=_SLOW
)
