"""The files of the audit trail."""
