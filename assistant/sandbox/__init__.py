"""A small EMR in a process of its own, to try Bedside in: invented patients, no security."""
