"""The figures that a test of the laboratory records are kept with how it ended."""

from tests.lab.figures import kept

__all__ = ["kept"]
