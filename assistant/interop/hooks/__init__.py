"""CDS Hooks 2.0: services that an EMR calls while a doctor works, and the cards they give."""
