"""The templates of 问病历: their names in the package `prompts`."""

TASK = "record_qa"
PROMPT = "spans"
PLAN = "plan"
