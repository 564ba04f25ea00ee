"""A candidate answers beside the model in use: unseen by doctors, when nothing else waits."""
