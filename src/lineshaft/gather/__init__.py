"""Gather keeps every driver running, publishes what it emits, and guards what is written."""
