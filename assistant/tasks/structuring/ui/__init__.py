"""The page 后结构化."""

from assistant.tasks.structuring.ui.strings import STRINGS
from assistant.ui.strings import add

add(STRINGS)
