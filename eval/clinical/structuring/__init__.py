"""Structuring: entities, triples and standard terms against texts that people labelled."""
