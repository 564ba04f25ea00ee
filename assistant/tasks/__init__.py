"""What the product does, one folder a task."""
