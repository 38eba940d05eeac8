"""`appliance config show`: the settings in force, without secrets."""

import json

import click

from appliance.cli.render import say_json
from appliance.cli.session import Group, Session, json_option, pass_session
from appliance.config import redacted
from appliance.config.sections import LISTED


@click.group(cls=Group)
def config() -> None:
    """The configuration."""


@config.command()
@json_option
@pass_session
def show(session: Session, as_json: bool) -> None:
    """Show every setting in force; of a secret only whether it is set."""
    settings = session.config()
    sections = redacted(settings)
    if as_json:
        say_json({"source": settings.source, **sections})
        return
    click.echo(f"# {settings.source}")
    for section, keys in sections.items():
        click.echo(f"\n[[{LISTED[:-1]}]]" if section.startswith(LISTED) else f"\n[{section}]")
        for key, value in keys.items():
            # As TOML has it; what is not set, or secret, is a comment.
            if value is None:
                click.echo(f"# {key}: not set")
            elif isinstance(value, str) and value.startswith("… ("):
                click.echo(f"# {key}: {value[2:].strip('()')}")
            else:
                click.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}")
