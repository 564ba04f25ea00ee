"""The feature families of IBSI-1, one a module; each gives values by the IBSI reference tags."""
