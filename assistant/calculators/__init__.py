"""Clinical calculators: formulas and scores, each with its source and its units."""
