"""One check a module; each reads the chart and gives what it found."""
