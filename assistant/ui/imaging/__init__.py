"""What the pages of imaging tasks share: a patient's series, slices, and the run of a task."""
