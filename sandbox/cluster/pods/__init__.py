"""Pods whose containers run as processes on this machine."""
