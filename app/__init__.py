"""Bellwire: the notification hub. `app` is everything but the websocket gateway, which is `realtime`."""

__version__ = "0.1.0"
