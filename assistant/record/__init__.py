"""The record: a patient, an encounter, notes and rows."""
