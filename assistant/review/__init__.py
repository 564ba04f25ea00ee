"""A doctor's work on a draft: resolve, fill in, sign."""
