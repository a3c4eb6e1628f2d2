"""Reconcile, doctor, liveness, garbage."""
