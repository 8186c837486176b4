"""`analysis-worker demo`: one request through the whole house, on this machine alone."""

from maxnutrition.demo.command import demo

__all__ = ["demo"]
