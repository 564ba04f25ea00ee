"""Findings to ranked diseases, and the diagnoses that must not be missed."""
