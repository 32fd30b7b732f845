"""How rules run: the list of rules, their view of a resource, unknown values, configuration, reports.

A rule's requirements belong in `rules`; where a provider keeps a fact belongs in `kinds`.
"""
