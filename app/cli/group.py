"""`bellwire` and its sub-commands."""

import click

from app import __version__
from app.cli import admin, dlq, doctor, documents, importing, roles, schema, setup, talk, variables


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=variables.EPILOG)
@click.version_option(__version__, prog_name="bellwire")
def main() -> None:
    """Bellwire, the real-time notification inbox.

    Settings come from environment variables. DATABASE_URL and REDIS_URL are required, but for bin/bellwire
    beside a running bin/dev, whose servers it then uses.
    """


for command in (
    roles.serve,
    roles.api,
    roles.gateway,
    roles.worker,
    schema.migrate,
    doctor.doctor,
    documents.openapi,
    documents.asyncapi,
    setup.env,
    setup.key,
    admin.admin,
    dlq.dlq,
    talk.send,
    talk.tail,
    importing.import_subscribers,
):
    main.add_command(command)
