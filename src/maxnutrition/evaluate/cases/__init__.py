"""What the analyses are measured against."""
