"""What the alerts find of seeded records, and say wrongly of records without reason for one."""
