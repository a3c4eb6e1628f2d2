"""Docker's engine, which runs for this server alone: where it is, and how it is called."""
