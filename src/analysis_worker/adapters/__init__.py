"""The engine's ports, spoken over real wires."""
