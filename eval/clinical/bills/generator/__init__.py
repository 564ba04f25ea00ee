"""Pages of invented bills with their truth: layouts are data, wear is drawn over them."""
