"""What of a stay a text leaves out."""
