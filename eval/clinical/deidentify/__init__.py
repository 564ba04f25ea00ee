"""How much of what tells who a patient is goes, and whether anything clinical goes with it."""
