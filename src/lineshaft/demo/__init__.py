"""The demo factory: simulated machines that speak the real protocols on loopback."""
