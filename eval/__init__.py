"""Evaluation: task sets → predictions → scores → report."""
