"""The simulator as its own process: `python -m appliance.simulator --help`."""

import asyncio
import signal
from pathlib import Path

import click

from appliance.simulator.app import run_simulator, simulator_app
from appliance.simulator.ledger import Ledger
from appliance.simulator.phone import Phone
from appliance.simulator.twilio import PACE, Twilio


async def _serve(twilio: Twilio, phone: Phone, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = await run_simulator(simulator_app(twilio, phone), host, port)
    click.echo(f"Simulator listening on http://{host}:{runner.addresses[0][1]}")
    await stop.wait()
    await runner.cleanup()


@click.command()
@click.option(
    "--listen", default="127.0.0.1:9090", show_default=True, help="Address and port; port 0 takes a free one."
)
@click.option("--account-sid", required=True)
@click.option("--auth-token", "auth_tokens", required=True, multiple=True, help="Repeat for several; the first signs.")
@click.option("--public-url", help="Where webhooks go; without it, nowhere.")
@click.option("--ledger", type=click.Path(path_type=Path, dir_okay=False), help="File; without it, memory only.")
@click.option("--owned", multiple=True, help="An address of the account; repeat. Without it any From is accepted.")
@click.option("--pace", default=PACE, show_default=True, help="Seconds between two delivery statuses.")
def main(
    listen: str,
    account_sid: str,
    auth_tokens: tuple[str, ...],
    public_url: str | None,
    ledger: Path | None,
    owned: tuple[str, ...],
    pace: float,
) -> None:
    """Be Twilio for one account, with a phone page at /."""
    host, _, port = listen.rpartition(":")
    twilio = Twilio(account_sid, auth_tokens, Ledger(ledger), public_url=public_url, owned=owned, pace=pace)
    asyncio.run(_serve(twilio, Phone(), host, int(port)))


if __name__ == "__main__":
    main()
