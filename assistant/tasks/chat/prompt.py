"""The template of an answer: its name in the package `prompts`."""

TASK = "chat"
PROMPT = "cited"
