"""SMART App Launch 2: a doctor's session from the hospital's own log-in, tied to a patient."""
