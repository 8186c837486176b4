"""How good the analyses are: `python -m maxnutrition.evaluate [--json] [texts|plans|reports ...]`."""
