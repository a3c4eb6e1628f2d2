"""The baselines: the same programs, put together by hand and without the platform."""
