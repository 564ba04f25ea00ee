"""Images of a patient: volumes and regions, read from what hospitals keep them in, and checked."""
