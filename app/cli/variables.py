"""What --help says of the settings."""

from typing import Final

import click

from app import settings

EPILOG: Final = "Every variable: bellwire serve --help, and docs/operations.md."


class Role(click.Command):
    """A command that serves: its --help lists the variables that matter to it, with their defaults."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section("Environment variables"):
            formatter.write_dl([(it.name, _said(it)) for it in settings.describe(self.name or "")])


def _said(variable: settings.Described) -> str:
    match variable.default:
        case None:
            return f"{variable.about}  [required]"
        case "":
            return variable.about
        case default:
            return f"{variable.about}  [default: {default}]"
