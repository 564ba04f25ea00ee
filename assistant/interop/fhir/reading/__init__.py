"""Resources of each kind, read into the rows of a record."""
