"""Rules about identities in AWS: who has which role, and what it may do."""
