"""The historian keeps what passes by on the spine, and answers for it."""
