"""Typed input → prompt → constrained generation → parse → grounding → typed draft."""
