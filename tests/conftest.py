"""What every test shares."""

import asyncio

from hypothesis import HealthCheck, settings

# Timing belongs into benchmarks/, never into a test's pass or fail.
settings.register_profile(
    "lineshaft",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("lineshaft")

# Python 3.11 makes a loop for whoever asks first, and nobody closes that one.
asyncio.set_event_loop(None)
