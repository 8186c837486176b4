"""Measures the analysis worker and its peers on one PostgreSQL server."""
