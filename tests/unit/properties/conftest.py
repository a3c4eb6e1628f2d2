"""How hypothesis runs: the same examples in every run, and nothing kept between runs.

``pytest tests/unit/properties --hypothesis-profile=search`` looks further, at random.
"""

from hypothesis import HealthCheck, settings

# No deadline and no complaint about slow generation: they would depend on the machine's load.
# What never ends, or takes exponential time, runs into the time limit of the test.
COMMON = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("same", COMMON, derandomize=True, max_examples=100)
settings.register_profile("search", COMMON, max_examples=3_000)
settings.load_profile("same")
