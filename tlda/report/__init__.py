"""What a run leaves for people: one HTML page, and the tables of the README."""

from tlda.report.page import write

__all__ = ['write']
