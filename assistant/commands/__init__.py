"""The subcommands of ``bedside``, a module a noun."""
