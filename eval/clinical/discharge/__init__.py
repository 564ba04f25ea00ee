"""The discharge record measured on encounters whose facts are known: a smoke test, not a trial."""
