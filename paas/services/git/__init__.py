"""What users do for git: credentials for other servers."""
