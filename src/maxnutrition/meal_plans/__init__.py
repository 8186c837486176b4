"""Meal plans: targets from a profile, meals as people in Brazil eat them, portions chosen by an optimiser."""
