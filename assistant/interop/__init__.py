"""Bedside inside the hospital's systems."""
