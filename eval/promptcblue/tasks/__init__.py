"""One module a kind of target."""
