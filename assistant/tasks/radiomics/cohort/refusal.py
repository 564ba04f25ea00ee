"""What cannot be used, said so that the reader knows what to do."""

from __future__ import annotations


class CohortRefused(ValueError):
    """A table, a setting or a model that cannot be used; the message says what to do.

    It names columns and rows, never the text of a cell: that may be a patient's.
    """
