"""Who calls: keys, sessions and web identities."""
