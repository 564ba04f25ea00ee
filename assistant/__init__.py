"""The clinical application: records, chains, tools, store, REST, UI, CLI."""
