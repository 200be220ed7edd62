"""Towards people, and still pure: values in, text out. Only `cli` writes to a terminal."""
