"""Security knows who is asking, decides what they may do, and keeps the proof."""
