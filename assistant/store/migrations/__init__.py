"""The schema's history, run by `assistant.store.migration`."""
