"""The page 出院记录."""

from assistant.tasks.discharge.ui.strings import STRINGS
from assistant.ui.strings import add

add(STRINGS)
