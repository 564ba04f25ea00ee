"""Rare diseases of the Human Phenotype Ontology: a hint beside the ranking, never part of it."""
