"""Accepted work: kept, queued, run and watched."""
