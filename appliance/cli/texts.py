"""`appliance texts`: what customers read where no answer was found."""

import click

from appliance.cli.client import talk
from appliance.cli.render import one_line, say, say_json, table
from appliance.cli.session import Group, Session, json_option, org_option, pass_session

language_option = click.option(
    "--language", type=click.Choice(["pt-BR", "en", "es"]), help="Default: the organization's."
)


@click.group(cls=Group)
def texts() -> None:
    """Fixed texts: what customers read when there is no answer to give."""


@texts.command("list")
@click.option("--language", type=click.Choice(["pt-BR", "en", "es"]), help="Default: all.")
@org_option
@json_option
@pass_session
def list_(session: Session, language: str | None, org: str | None, as_json: bool) -> None:
    """List the texts; {organization} and {contact} are filled in when one is sent."""
    answer = talk(session.config(), lambda api: api.get("texts", organization=org, language=language))
    if as_json:
        say_json(answer)
        return
    rows = (
        [each["language"], each["key"], "own" if each["is_own"] else "original", each["body"]]
        for each in answer["texts"]
    )
    say(table(["LANGUAGE", "TEXT", "WORDS", "BODY"], rows, whole=True))


@texts.command("set")
@click.argument("key")
@click.argument("body")
@language_option
@org_option
@json_option
@pass_session
def set_(session: Session, key: str, body: str, language: str | None, org: str | None, as_json: bool) -> None:
    """Say it in words of your own; they may hold {organization} and {contact}."""
    answer = talk(
        session.config(), lambda api: api.put("texts", key=key, body=body, language=language, organization=org)
    )
    if as_json:
        say_json(answer)
    else:
        click.echo(f"{answer['key']} ({answer['language']}) reads now: {one_line(answer['shown'])}")


@texts.command()
@click.argument("key")
@language_option
@org_option
@json_option
@pass_session
def reset(session: Session, key: str, language: str | None, org: str | None, as_json: bool) -> None:
    """Back to the original."""
    answer = talk(session.config(), lambda api: api.delete("texts", key=key, language=language, organization=org))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"{answer['key']} ({answer['language']}) reads again: {one_line(answer['shown'])}")
