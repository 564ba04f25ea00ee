"""The one reader of clinical text: a note read once, for everything that asks of it."""
