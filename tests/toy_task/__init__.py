"""A task in a package of its own: it says how long a letter is, and lets a model greet."""
