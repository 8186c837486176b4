"""Reading lab reports: pixels -> boxes -> lines -> analytes."""
