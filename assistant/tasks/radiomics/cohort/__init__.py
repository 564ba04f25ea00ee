"""A table of cases → a model that is validated by nested cross-validation, and its report."""
