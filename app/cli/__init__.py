"""The `bellwire` command: the composition root, the only place that sees both app and realtime."""

from app.cli.group import main

__all__ = ["main"]
