"""Deploys: pushes, imports, clones."""
