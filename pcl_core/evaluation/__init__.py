"""Metrics a class and a case, and the reports made of them."""
