"""Speed, memory and growth, each measured beside its baseline in the same run."""
