"""The template of a section: its name in the package `prompts`."""

TASK = "discharge_record"
PROMPT = "section"
