"""Options of the commands that talk to a running API."""

from typing import Final

import click

URL: Final = click.option(
    "--url",
    default="http://127.0.0.1:8080",
    show_default=True,
    envvar="BELLWIRE_URL",
    show_envvar=True,
    help="The API.",
)
KEY: Final = click.option(
    "--key", required=True, envvar="BELLWIRE_API_KEY", show_envvar=True, help="A management key."
)
