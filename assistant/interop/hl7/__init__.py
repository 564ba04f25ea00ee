"""HL7 v2 messages: framed, read, kept, acknowledged, and what they say of a stay."""
