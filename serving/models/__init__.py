"""Which models can be had, how they are fetched, and how they lie on disk."""
