"""Segmentation: an image in, structures with their volumes out; for research only."""
