"""The standard's HTTP interface (IDTA-01002 v3.1), all services and profiles behind one address."""
