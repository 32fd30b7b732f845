"""The AWS process as a server: its one gate, and what happens to every call there."""
