"""Questions over the knowledge base."""
