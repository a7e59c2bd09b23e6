"""What every test shares."""

from hypothesis import settings

# Timing belongs into benchmarks/, never into a test's pass or fail.
settings.register_profile("lineshaft", deadline=None, max_examples=60)
settings.load_profile("lineshaft")
