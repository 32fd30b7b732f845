"""Admission webhooks: what the controller fills in and refuses when objects are written. Every replica answers."""
