"""The `bellwire` command: the composition root, the only place that sees both app and realtime."""

from app.cli import beginning
from app.cli.group import main

__all__ = ["beginning", "main"]
