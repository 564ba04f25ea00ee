"""The page 鉴别诊断."""

from assistant.tasks.differential.ui.strings import STRINGS
from assistant.ui.strings import add

add(STRINGS)
