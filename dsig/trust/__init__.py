"""Who signed: what the user trusts, and whether a certificate leads there, now or at a moment in the past."""
