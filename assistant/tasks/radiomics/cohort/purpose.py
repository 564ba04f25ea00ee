"""What everything here is for."""

from __future__ import annotations

PURPOSE = "科研用途：仅供研究，不得用于诊疗。(For research only; not for diagnosis or treatment.)"
