"""`appliance user`: who may look in."""

import click

from appliance.cli.client import talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.secrets import asked_for, first_line
from appliance.cli.session import Group, Session, json_option, org_option, pass_session


@click.group(cls=Group)
def user() -> None:
    """Users: who may look into the owner's pages."""


@user.command()
@click.argument("email")
@click.option("--admin", is_flag=True, help="Sees every organization and the box's own parts.")
@org_option
@json_option
@pass_session
def add(session: Session, email: str, admin: bool, org: str | None, as_json: bool) -> None:
    """Add a user of an organization; a link sets the password."""
    answer = talk(session.config(), lambda api: api.post("users", email=email, admin=admin, organization=org))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Added {one_line(email)}. A link to sign in with: appliance user link {one_line(email)}")


@user.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input.")
@pass_session
def passwd(session: Session, email: str, password_stdin: bool) -> None:
    """Set a user's password; whoever was signed in as this user is signed out."""
    password = first_line() if password_stdin else asked_for()
    talk(session.config(), lambda api: api.post("users/password", email=email, password=password))
    click.echo(f"{one_line(email)} has a new password.")


@user.command("list")
@org_option
@json_option
@pass_session
def list_(session: Session, org: str | None, as_json: bool) -> None:
    """List the users."""
    answer = talk(session.config(), lambda api: api.get("users", organization=org), makes=False)
    if as_json:
        say_json(answer)
    elif not answer["users"]:
        click.echo("No user yet: appliance user add --help")
    else:
        rows = (
            (
                each["email"],
                each["organization"],
                "yes" if each["admin"] else "no",
                "set" if each["has_password"] else "none yet",
                moment(each["seen_at"]) or "never",
            )
            for each in answer["users"]
        )
        say(table(["USER", "ORGANIZATION", "ADMIN", "PASSWORD", "LAST SEEN"], rows))


@user.command()
@click.argument("email")
@json_option
@pass_session
def link(session: Session, email: str, as_json: bool) -> None:
    """Print a link that signs a user in once, within an hour, and sets the password. Older ones are over."""
    answer = talk(session.config(), lambda api: api.post("users/link", email=email))
    if as_json:
        say_json(answer)
    else:
        click.echo(answer["url"])
