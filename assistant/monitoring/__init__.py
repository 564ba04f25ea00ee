"""How models do in use: figures, floors, reviews, and candidates beside them."""
