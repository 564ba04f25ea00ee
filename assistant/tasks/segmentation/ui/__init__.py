"""The page 影像分割."""
