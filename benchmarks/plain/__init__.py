"""The baselines: the same programs, set up by hand without the platform."""
