"""The kinds of resources that rules ask about, in all providers and API versions.

Requirements do not belong here; they belong in rules.
"""
