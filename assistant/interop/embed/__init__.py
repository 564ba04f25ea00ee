"""Pages inside the pages of the hospital's system, and texts that go back to it."""
