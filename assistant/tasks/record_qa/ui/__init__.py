"""The page 问病历."""

from assistant.tasks.record_qa.ui.strings import STRINGS
from assistant.ui.strings import add

add(STRINGS)
