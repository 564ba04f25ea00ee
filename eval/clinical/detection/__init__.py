"""Detection of lung nodules measured on scans whose truth is known: the scans are made here."""
