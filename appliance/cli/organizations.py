"""`appliance org`: the businesses that this box answers for."""

import shlex
from typing import Any, TextIO

import click

from appliance.cli import week
from appliance.cli.client import talk
from appliance.cli.render import one_line, say, say_json, table
from appliance.cli.secrets import first_line
from appliance.cli.session import Group, Session, account_option, json_option, org_option, pass_session
from appliance.errors import ApplianceError


@click.group(cls=Group)
def org() -> None:
    """Organizations: the businesses that this box answers for."""


@org.command()
@click.argument("name")
@click.option("--channel", "channels", metavar="ADDRESS", multiple=True, required=True, help="+55… or whatsapp:+55…")
@click.option("--user", metavar="EMAIL", required=True, help="The first user.")
@click.option("--language", type=click.Choice(["pt-BR", "en", "es"]), default="pt-BR", show_default=True)
@click.option("--timezone", default="America/Sao_Paulo", show_default=True)
@click.option("--contact", help="A person's phone or address, told to customers when nothing else helps.")
@click.option("--instructions", type=click.File(encoding="utf-8"), help="A file: what the model is told about it.")
@account_option
@click.option("--password-stdin", is_flag=True, help="Read the user's password from standard input.")
@json_option
@pass_session
def register(
    session: Session,
    name: str,
    channels: tuple[str, ...],
    user: str,
    language: str,
    timezone: str,
    contact: str | None,
    instructions: TextIO | None,
    account: str | None,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Register an organization with its channels and its first user: all of it or nothing."""
    told = _text_of(instructions)
    wanted = {
        "name": name,
        "channels": list(channels),
        "user": user,
        "language": language,
        "timezone": timezone,
        "contact": contact,
        "instructions": told,
        "password": first_line() if password_stdin else None,
        "account": account,
    }
    answer = talk(session.config(), lambda api: api.post("organizations", **wanted))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Registered {one_line(name)} with {', '.join(map(one_line, channels))} and user {one_line(user)}.")
        if not password_stdin:
            click.echo(f"A link to sign in with: appliance user link {shlex.quote(one_line(user))}")


@org.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the organizations."""
    answer = talk(session.config(), lambda api: api.get("organizations"))
    if as_json:
        say_json(answer)
    elif not answer["organizations"]:
        click.echo("No organization yet: appliance org register --help")
    else:
        rows = (
            [each["id"], each["name"], each["language"], each["timezone"], ", ".join(each["channels"])]
            for each in answer["organizations"]
        )
        say(table(["ID", "NAME", "LANGUAGE", "TIME ZONE", "CHANNELS"], rows))


@org.command()
@org_option
@json_option
@pass_session
def show(session: Session, org: str | None, as_json: bool) -> None:
    """Show what an organization says of itself."""
    answer = talk(session.config(), lambda api: api.get("organization", organization=org))
    say_json(answer) if as_json else _tell(answer)


@org.command("set")
@org_option
@click.option("--name", help="How it introduces itself.")
@click.option("--contact", help="A person's phone or address, told to customers when nothing else helps.")
@click.option("--language", type=click.Choice(["pt-BR", "en", "es"]), help="Of its customers.")
@click.option("--timezone", help="Such as America/Sao_Paulo.")
@click.option("--instructions", type=click.File(encoding="utf-8"), help="A file: what the model is told about it.")
@click.option("--hours", callback=week.read, help=f'When it is open: "{week.ALWAYS}", or such as "{week.EXAMPLE}".')
@json_option
@pass_session
def set_(
    session: Session,
    org: str | None,
    name: str | None,
    contact: str | None,
    language: str | None,
    timezone: str | None,
    instructions: TextIO | None,
    hours: list[list[list[str]]] | None,
    as_json: bool,
) -> None:
    """Change what an organization says of itself; what is not named stays as it is."""
    wanted = {
        "name": name,
        "contact": contact,
        "language": language,
        "timezone": timezone,
        "instructions": _text_of(instructions),
        "hours": hours,
    }
    if not any(value is not None for value in wanted.values()):
        raise click.UsageError("Name what is to change: appliance org set --help")
    answer = talk(session.config(), lambda api: api.patch("organization", organization=org, **wanted))
    say_json(answer) if as_json else _tell(answer)


def _tell(organization: dict[str, Any]) -> None:
    lines = {
        "Name": organization["name"],
        "Contact": organization["contact"] or "none",
        "Language": organization["language"],
        "Time zone": organization["timezone"],
        "Open": week.written(organization["hours"]),
        "Channels": ", ".join(organization["channels"]),
        "Users": ", ".join(organization["users"]),
        "Instructions": organization["instructions"] or "none",
    }
    say(f"{name + ':':14}{one_line(value)}" for name, value in lines.items())


def _text_of(file: TextIO | None) -> str | None:
    try:
        return file.read() if file else None
    except UnicodeDecodeError:
        raise ApplianceError("The instructions must be UTF-8 text.") from None
