"""病历质控: an encounter in, findings with their places in the record and a score out."""
