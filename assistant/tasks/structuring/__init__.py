"""Clinical text to data: entities, relations, codes, feature tables, one patient over time."""
