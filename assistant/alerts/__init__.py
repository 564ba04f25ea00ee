"""Prompts while they matter (事中提示): rules as data, and what reads a record for them."""
