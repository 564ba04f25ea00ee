"""Convolutional filters by IBSI-2 (arXiv 2006.05470): choices, and the response maps they make."""
