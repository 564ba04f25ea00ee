"""Runs and scores → a report that a committee can read."""
