"""Sources to a graph and passages, hybrid retrieval, diagnosis coding."""
