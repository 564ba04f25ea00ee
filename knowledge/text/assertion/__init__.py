"""How a term is meant: denied, doubted, past, of somebody else."""
