"""What the machine has: processor, sockets, memory, and what to compute in."""
