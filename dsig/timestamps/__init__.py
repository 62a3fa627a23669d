"""When: the time a signature claims, the time a timestamp proves, getting one, and keeping the proof for decades."""
