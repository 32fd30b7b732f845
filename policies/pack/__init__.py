"""How rules run: the list of rules, what they see of a resource, values not known yet, configuration, reports.

What a rule demands does not belong here (`rules`), nor where a provider keeps a fact (`kinds`).
"""
