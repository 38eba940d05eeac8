"""`appliance status`, `verify` and `tick`: how it is, whether anything was lost, and an external cron's call."""

from typing import Any

import click

from appliance.cli.client import Api, talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.session import Command, Session, json_option, pass_session
from appliance.model import JobKind

# What the words of the API mean to an owner.
WORDS = {
    "apologised": "answered with an apology",
    "dead": "could not be answered",
    "live": "waiting for an answer",
    "orphaned": "to an unknown number",
    "suppressed": "left without an answer on purpose",
}
OUTBOX_WORDS = {
    "ready": "waiting",
    "doubt": "not sure they arrived",
    "parked": "wait for your decision",
    "superseded": "replaced by a newer draft",
    "suppressed": "held back by a rule",
}
QUEUE_WORDS = {"ready": "due now", "scheduled": "for later", "retry": "to be tried again", "dead": "given up"}
CONVERSATION_WORDS = {"pending": "new", "progress": "under way", "human": "with a person"}


@click.command(cls=Command)
@json_option
@pass_session
@click.pass_context
def status(ctx: click.Context, session: Session, as_json: bool) -> None:
    """Show how it is. Exit status 1: something needs a look."""

    async def fetch(api: Api) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
        return await api.get("status"), (await api.get("cards"))["cards"], api.running

    figures, cards, running = talk(session.config(), fetch)
    if as_json:
        say_json(figures)
    else:
        _show(figures, cards, running)
    ctx.exit(1 if figures["cards"] else 0)


def _show(figures: dict[str, Any], cards: list[dict[str, Any]], running: bool) -> None:
    since = f"running since {moment(figures['started_at'])}" if running else "not running"
    click.echo(f"Appliance {figures['version']}, {since}\n")
    queue = dict(figures["queue"])
    oldest = queue.pop("oldest_ready_seconds", None)
    parts = {
        "Messages": _counted(figures["messages"], WORDS),
        "Replies": _counted(figures["outbox"], OUTBOX_WORDS),
        "Conversations": _counted(figures["conversations"], CONVERSATION_WORDS),
        "Jobs": _counted(queue, QUEUE_WORDS) + ([f"oldest waits {oldest:.0f} s"] if oldest else []),
    }
    for title, counted in parts.items():
        first, *rest = counted or ["none"]
        say([f"{title:<15}{first}", *(f"{'':<15}{item}" for item in rest)])
    click.echo()
    if cards:
        click.echo("Needs a look:")
        rows = ([moment(card["opened_at"]), card["times"], _in_a_line(card)] for card in cards)
        say(table(["SINCE", "TIMES", "WHAT"], rows, whole=True))
        if older := figures["cards"] - len(cards):
            click.echo(f"… and {older} older.")
    else:
        click.echo("Nothing needs a look.")


def _in_a_line(card: dict[str, Any]) -> str:
    return " ".join([f"{card['title'].rstrip('.')}.", card["text"], card["todo"]])


def _counted(counts: dict[str, int], words: dict[str, str]) -> list[str]:
    return [f"{count} {words.get(name, one_line(name))}" for name, count in counts.items() if count]


@click.command(cls=Command)
@json_option
@pass_session
@click.pass_context
def verify(ctx: click.Context, session: Session, as_json: bool) -> None:
    """Prove that no message was lost and the database is whole. Exit status 1: it is not so."""
    report = talk(session.config(), lambda api: api.get("verify"), makes=False)
    if as_json:
        say_json(report)
    elif report["ok"]:
        click.echo("Everything received is accounted for, and the database is whole.")
    else:
        say(one_line(problem) for problem in report["problems"])
    ctx.exit(0 if report["ok"] else 1)


@click.command(cls=Command)
@pass_session
def tick(session: Session) -> None:
    """Look for quiet and expired conversations, as a cron job."""

    async def enqueue(api: Api) -> None:
        for kind in (JobKind.IDLE, JobKind.EXPIRED):
            await api.post(f"jobs/{kind}")

    talk(session.config(), enqueue)
