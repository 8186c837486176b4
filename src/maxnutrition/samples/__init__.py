"""Invented lab reports for the demo and the tests; drawn by examples/reports/make_reports.py."""
