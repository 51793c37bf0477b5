"""Attacks on the sandbox: what untrusted programs may try, and that it gains them nothing."""
