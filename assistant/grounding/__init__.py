"""Each statement held against the record."""
