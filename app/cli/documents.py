"""openapi, asyncapi: what can be said to Bellwire, for generators and gateways."""

import click

from app.api import openapi as http
from realtime import asyncapi as socket


@click.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document."""
    click.echo(http.document())


@click.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3 document of the websocket."""
    click.echo(socket.document())
