"""The patient's version beside its discharge record."""

from assistant.tasks.patient_version.ui.strings import STRINGS
from assistant.ui.strings import add

add(STRINGS)
