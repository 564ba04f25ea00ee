"""Ask the record: questions over one encounter, each answer with its places."""
