"""`appliance demo`: the whole product without an account and without a network."""

from pathlib import Path

import click

from appliance.cli.session import Command
from appliance.demo import run


@click.command(cls=Command)
@click.option("--listen", metavar="HOST:PORT", envvar="LISTEN", help="Where the appliance listens.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-data"),
    show_default=True,
    help="Where the demo's data stays.",
)
def demo(listen: str | None, directory: Path) -> None:
    """Try it: a simulated Twilio, a phone in the browser, a bakery's questions."""
    raise SystemExit(run(listen, directory))
