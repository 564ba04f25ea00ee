"""What a model may call while it answers a question over a record."""
