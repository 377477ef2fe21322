"""Secrets and proofs. Nothing here logs, and comparisons take constant time."""
