"""Diagnoses as written to codes of a table."""
