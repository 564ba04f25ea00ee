"""How well record quality control finds defects that are seeded into true encounters."""
