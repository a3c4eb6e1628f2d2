"""What users follow over HTTP."""
