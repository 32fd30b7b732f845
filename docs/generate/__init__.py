"""Writes pages of docs/ from what they describe. `make docs` runs the modules; tests check that pages are up to date.

Pages about the components and the policies are written by the packages that have the facts.
"""
