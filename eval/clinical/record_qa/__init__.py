"""Asking the record: questions with known answers, exact, partial, wrong or unsafe."""
