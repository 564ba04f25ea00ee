"""The page 肺结节检出."""
