"""Differential diagnosis: how often the right diagnosis is among the first that a member names."""
