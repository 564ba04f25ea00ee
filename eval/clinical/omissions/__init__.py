"""The omission check measured on summaries from which known facts were dropped."""
