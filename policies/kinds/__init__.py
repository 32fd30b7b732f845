"""The kinds of resources that rules ask about, whichever provider and API version they come from.

A demand does not belong here: that is a rule's.
"""
