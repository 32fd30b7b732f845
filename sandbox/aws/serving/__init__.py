"""The AWS process as a server: its gate, and what happens to every call in it.

What a call does belongs in the emulator, its corrections and `eks`.
"""
