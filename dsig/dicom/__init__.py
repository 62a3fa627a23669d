"""Bytes to elements and back: sources, files, the walker, item locations, writers. Knows nothing of signatures."""
