"""Which model may be used for care, and on what evidence."""
