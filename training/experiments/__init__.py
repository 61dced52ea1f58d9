"""Comparisons behind the documents' tables and pictures."""
