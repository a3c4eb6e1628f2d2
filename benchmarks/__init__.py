"""Speed, memory and growth, each measured with its baseline in the same run."""
