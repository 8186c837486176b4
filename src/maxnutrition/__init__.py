"""MaxNutrition: the analyses that run on the worker."""
