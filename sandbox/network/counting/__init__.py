"""Sends connections from the clients' namespace and counts them in the kernel."""
