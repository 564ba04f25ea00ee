"""Tuning a language model by adapters: supervised, preferences, continued pre-training."""
