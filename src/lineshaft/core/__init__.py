"""The vocabulary of the shop floor and the few mechanics that every other floor stands on."""
