"""`appliance demo`: the whole product without an account and without a network."""

from pathlib import Path

import click

from appliance.demo import run


@click.command()
@click.option("--listen", metavar="HOST:PORT", envvar="LISTEN", help="Where the appliance listens.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-data"),
    show_default=True,
    help="Where the demo's data stays.",
)
def demo(listen: str | None, directory: Path) -> None:
    """Try it with a simulated Twilio and a phone in the browser."""
    raise SystemExit(run(listen, directory))
