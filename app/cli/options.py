"""Options of the commands that talk to a running Bellwire."""

from typing import Any, Final

import click


class Configured(click.Option):
    """Its variable, where it is set, is the default that --help shows: bin/bellwire sets some by bin/dev."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, show_default=True, show_envvar=True, **kwargs)

    def get_default(self, ctx: click.Context, call: bool = True) -> Any:  # noqa: FBT001, FBT002 - click's
        return self.resolve_envvar_value(ctx) or super().get_default(ctx, call=call)


URL: Final = click.option(
    "--url", cls=Configured, default="http://127.0.0.1:8080", envvar="BELLWIRE_URL", help="The API."
)
KEY: Final = click.option(
    "--key", required=True, envvar="BELLWIRE_API_KEY", show_envvar=True, help="An API key."
)
GATEWAY_PATH: Final = "/v1/inbox/ws"
GATEWAY_URL: Final = click.option(
    "--url",
    cls=Configured,
    default=f"ws://127.0.0.1:8081{GATEWAY_PATH}",
    envvar="BELLWIRE_GATEWAY_URL",
    help="The gateway.",
)
