"""PromptCBLUE: samples, tasks, tracks and scores."""
