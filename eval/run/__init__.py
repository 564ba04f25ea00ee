"""Task sets → predictions: asking a model, and keeping every answer."""
