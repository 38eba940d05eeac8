"""The command line: one noun per file, each imported only when it is asked for, so that every call starts fast."""

from importlib import import_module

import click

from appliance import __version__
from appliance.cli.session import Group, Session
from appliance.errors import ApplianceError, ConfigurationError, RequestError
from appliance.printable import escaped

COMMANDS = {
    "serve": "serve:serve",
    "demo": "demo:demo",
    "check": "check:check",
    "org": "organizations:org",
    "user": "users:user",
    "channel": "channels:channel",
    "texts": "texts:texts",
    "contacts": "contacts:contacts",
    "knowledge": "knowledge:knowledge",
    "send": "messages:send",
    "simulate": "simulate:simulate",
    "cards": "cards:cards",
    "statement": "statement:statement",
    "dead-letters": "dead_letters:dead_letters",
    "orphans": "messages:orphans",
    "conversations": "hands:conversations",
    "pause": "pauses:pause",
    "resume": "pauses:resume",
    "export": "persons:export",
    "forget": "persons:forget",
    "forgotten": "persons:forgotten",
    "status": "status:status",
    "verify": "status:verify",
    "tick": "status:tick",
    "backup": "backups:backup",
    "restore": "backups:restore",
    "config": "settings:config",
}
BAD_REQUEST, USAGE = 400, 2
ALIASES = {"jobs": "dead-letters"}


class Main(Group):
    """Finds the commands, and says in one sentence what an operator can fix."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        place = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(f"appliance.cli.{module}"), attribute)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            click.echo(f"Configuration: {ctx.find_object(Session)}", err=True)
            for fault in error.faults:
                click.echo(f"  {fault}", err=True)
            ctx.exit(error.exit_status)
        except RequestError as error:
            click.echo(escaped(error.message), err=True)
            ctx.exit(USAGE if error.status == BAD_REQUEST else error.exit_status)
        except ApplianceError as error:
            click.echo(escaped(str(error)), err=True)
            ctx.exit(error.exit_status)
        except BrokenPipeError:
            raise
        except OSError as error:
            place = f": {error.filename}" if error.filename else ""
            click.echo(escaped(f"{error.strerror or type(error).__name__}{place}"), err=True)
            ctx.exit(1)


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Answer a small business's customers on Twilio, and never lose a message.

    Without --config the file is $APPLIANCE_CONFIG, ./config.toml or /etc/appliance/config.toml.
    """
    ctx.ensure_object(Session)
