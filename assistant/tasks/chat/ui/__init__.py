"""The page 知识问答."""

from assistant.tasks.chat.ui.strings import STRINGS
from assistant.ui.strings import add

add(STRINGS)
