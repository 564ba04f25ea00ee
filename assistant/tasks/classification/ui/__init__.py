"""The page of the task."""
