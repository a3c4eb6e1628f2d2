"""How apps fare over time: requests, latency, CPU, memory, restarts."""
