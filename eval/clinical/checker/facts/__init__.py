"""Records drawn from small truths, with statements that are true and false of them."""
