"""Printed numbers as intervals, and synthetic records whose reanalysis prints them again."""

__version__ = "0.1.0"
