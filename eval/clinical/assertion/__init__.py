"""How well denials, doubts, times and persons are read, against labelled snippets."""
