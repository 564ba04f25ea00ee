"""Models behind one interface: tokens, tensors, prompts as opaque text; nothing clinical."""
