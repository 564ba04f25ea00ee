"""The insurer's catalogue (目录比对): imported lists, and what a written name is in them."""
