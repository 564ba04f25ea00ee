"""Record events: what happens to a record starts tasks by rules, before a doctor asks."""
