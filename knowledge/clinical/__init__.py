"""The curated base: diseases as entries, and the findings that they are told by."""
