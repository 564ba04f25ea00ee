"""Bills: generated pages with their truth, and how much of it is read from their pictures."""
