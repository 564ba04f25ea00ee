"""Differential diagnosis by several members side by side."""
