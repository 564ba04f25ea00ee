"""The discharge record, section by section."""
