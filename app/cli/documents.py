"""openapi: the API's description, for generators and gateways."""

import click

from app.api import openapi as document


@click.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document."""
    click.echo(document.document())
