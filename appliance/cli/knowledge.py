"""`appliance knowledge`: what an organization tells its customers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from appliance.cli.client import talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.session import Group, Session, json_option, org_option, pass_session
from appliance.errors import ApplianceError

MOST_SCORES = 5  # topics that are shown


@click.group(cls=Group)
def knowledge() -> None:
    """What an organization tells its customers, by topic."""


@knowledge.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Also remove the topics that the file does not have.")
@org_option
@json_option
@pass_session
def import_(session: Session, file: Any, replace: bool, org: str | None, as_json: bool) -> None:
    """Import Markdown: a heading is a topic, and replaces the topic of that name.

    A heading that was renamed leaves its old topic behind, which goes on answering: --replace removes it.
    """
    content: bytes = file.read()
    try:
        markdown = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ApplianceError(f"{Path(file.name).name} must be UTF-8 text.") from None
    answer = talk(
        session.config(), lambda api: api.post("knowledge", organization=org, markdown=markdown, replace=replace)
    )
    if as_json:
        say_json(answer)
        return
    topics = answer["topics"]
    click.echo(f"Imported {len(topics)} {'topic' if len(topics) == 1 else 'topics'}:")
    say(f"  {one_line(topic)}" for topic in topics)
    if answer["others"]:
        click.echo(
            "Removed:" if answer["removed"] else "Not in the file, and still answering (--replace removes them):"
        )
        say(f"  {one_line(topic)}" for topic in answer["others"])


@knowledge.command()
@click.argument("topic")
@org_option
@json_option
@pass_session
def remove(session: Session, topic: str, org: str | None, as_json: bool) -> None:
    """Remove the topic of this heading, whatever its case and accents."""
    answer = talk(session.config(), lambda api: api.delete("knowledge", organization=org, title=topic))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Removed {one_line(answer['title'])}.")


@knowledge.command("list")
@org_option
@json_option
@pass_session
def list_(session: Session, org: str | None, as_json: bool) -> None:
    """List the topics."""
    answer = talk(session.config(), lambda api: api.get("knowledge", organization=org))
    if as_json:
        say_json(answer)
    elif not answer["topics"]:
        click.echo("No topics yet: appliance knowledge import --help")
    else:
        rows = [[each["title"], ", ".join(each["aliases"]), each["body"]] for each in answer["topics"]]
        called = any(names for _, names, _ in rows)
        say(
            table(
                ["TOPIC", "ALSO", "TEXT"] if called else ["TOPIC", "TEXT"],
                rows if called else ([a, c] for a, _, c in rows),
            )
        )


@knowledge.command()
@click.argument("topic")
@click.argument("names", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take these names away.")
@org_option
@json_option
@pass_session
def alias(session: Session, topic: str, names: tuple[str, ...], remove: bool, org: str | None, as_json: bool) -> None:
    """Add what customers call a topic, so that it is found like its title. They are never shown it."""
    fields = {"topic": topic, "aliases": names, "remove": remove}
    answer = talk(session.config(), lambda api: api.post("knowledge/aliases", organization=org, **fields))
    if as_json:
        say_json(answer)
    else:
        called = ", ".join(map(one_line, answer["aliases"]))
        click.echo(f"{one_line(answer['title'])}: {f'also {called}' if called else 'no other name'}")


@knowledge.command()
@click.argument("question")
@org_option
@json_option
@pass_session
@click.pass_context
def test(ctx: click.Context, session: Session, question: str, org: str | None, as_json: bool) -> None:
    """Ask a question as a customer would. Exit status 1: no topic answers it.

    Whom ai.provider names is asked. A model is shown the topics below; what it costs is the same as for a customer.
    """
    answer = talk(session.config(), lambda api: api.post("knowledge/test", organization=org, question=question))
    if as_json:
        say_json(answer)
    else:
        say(_rows(answer))
    ctx.exit(0 if answer["is_answer"] else 1)


@knowledge.command()
@org_option
@json_option
@pass_session
def unanswered(session: Session, org: str | None, as_json: bool) -> None:
    """List what customers asked this week and nobody knew, what most people asked first.

    Taught on the page of topics it is gone from here; a topic that is imported leaves it until it is a week old.
    """
    answer = talk(session.config(), lambda api: api.get("unanswered", organization=org))
    if as_json:
        say_json(answer)
    elif answer["unanswered"]:
        rows = [
            [str(each["id"]), str(each["times"]), str(each["people"]), moment(each["last_at"]), each["question"]]
            for each in answer["unanswered"]
        ]
        say(table(["ID", "TIMES", "PEOPLE", "LAST", "QUESTION"], rows))
    else:
        click.echo("Every question of this week had an answer.")


def _rows(answer: dict[str, Any]) -> Iterator[str]:
    yield f"Asked  {one_line(answer['asked'])} (ai.provider = {answer['provider']})"
    if answer["provider"] == "faq":
        found = f"{one_line(answer['topic'])} ({answer['score']:.0%})" if answer["topic"] else "none answers it"
        yield f"Topic  {'not sure, a menu is offered' if answer['menu'] else found}"
    for number, each in enumerate(answer["scores"][:MOST_SCORES]):
        fit = f"{each['score']:>4.0%} of the question, {each['likeness']:>4.0%} alike"
        yield f"{'' if number else 'Scores':<6} {fit}: {one_line(each['topic'])}"
    failure = f"none: {answer['failure']}" if answer["failure"] else "none is wanted"
    first, *rest = [one_line(line) for line in (answer["reply"] or failure).splitlines()]
    yield f"Reply  {first}"
    yield from (f"       {line}".rstrip() for line in rest)
