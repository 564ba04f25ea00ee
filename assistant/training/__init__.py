"""Training of encoders and of entity recognition: the extra ``train`` (PyTorch)."""
