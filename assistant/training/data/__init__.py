"""What a language model is trained on: pairs from the base and from feedback, de-identified."""
