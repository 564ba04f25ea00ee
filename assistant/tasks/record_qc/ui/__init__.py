"""The page 病历质控."""

from assistant.tasks.record_qc.ui.strings import STRINGS
from assistant.ui.strings import add

add(STRINGS)
