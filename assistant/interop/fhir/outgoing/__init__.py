"""Drafts, their origin and the audit as FHIR R4 resources."""
