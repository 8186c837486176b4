"""What models are told, and what of their words may reach a user."""
