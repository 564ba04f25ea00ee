"""HL7 FHIR R4: what comes in as a record, and what goes out as resources."""
