"""`appliance status`, `verify` and `tick`: how it is, whether anything was lost, and an external cron's call."""

import click

from appliance.cli import overview
from appliance.cli.client import Api, talk
from appliance.cli.render import one_line, say, say_json
from appliance.cli.session import Command, Session, json_option, pass_session
from appliance.model import JobKind


@click.command(cls=Command)
@json_option
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@pass_session
@click.pass_context
def status(ctx: click.Context, session: Session, as_json: bool, watch: bool) -> None:
    """Show how it is. Exit status 1: it does not run, or something needs a look."""
    if watch and as_json:
        raise click.UsageError("--watch has no JSON.")
    config = session.config()
    if watch:
        ctx.exit(overview.watch(config))
    seen = overview.look(config, totals=as_json)
    if as_json:
        say_json(seen.figures)
    else:
        say(overview.told(seen))
    ctx.exit(seen.exit_status)


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
