"""The page 影像组学."""
