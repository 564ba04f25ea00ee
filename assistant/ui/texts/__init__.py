"""The sentences of the larger pages, in Chinese and English."""
