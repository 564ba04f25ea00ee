"""The name by which the structures of `assistant.imaging.ct` are asked for, as a model is."""

CLASSICAL = "ct-classical"
