"""The templates of the panel: where they stand in the package `prompts`."""

TASK = "differential_diagnosis"
