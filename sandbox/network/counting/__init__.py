"""Connections sent from the clients' namespace and counted in the kernel."""
