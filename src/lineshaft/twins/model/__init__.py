"""The metamodel as pure functions over its JSON (IDTA-01001 v3.1)."""
