"""`analysis-worker demo`: one lab report through the whole house, on this machine alone."""

from maxnutrition.demo.command import demo

__all__ = ["demo"]
