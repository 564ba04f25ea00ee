"""BigDL-LLM's INT4 kernels, in a process and a Python environment of their own."""
