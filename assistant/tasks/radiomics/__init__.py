"""影像组学: features of a region of an image by the IBSI definitions, for research."""
