"""The clinical sets: differential, checker, discharge record, retrieval, structuring."""
