"""The hospital's systems: hooks, FHIR, HL7 v2, SMART."""
