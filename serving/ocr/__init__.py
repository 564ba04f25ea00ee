"""Text on pictures of pages, read by compiled networks."""
