"""What must not be sent although nothing of it would be there twice: over a person's answer, and into an incident."""

import re
from collections.abc import Iterator, Mapping

from appliance.model import MINUTE, SECOND
from tests.lab.inline import Database
from tests.lab.simulation.terms import NOT_SENT, SHAPES
from tests.lab.simulation.world import Entry, World

_NUMBER = re.compile(r"#\d+")
_IN_DOUBT = SHAPES.keys() - {"accept", "refuse", *NOT_SENT}
_IN_VAIN = {shape for shape in _IN_DOUBT if not SHAPES[shape][0]}
_THINKING = MINUTE  # before a new answer is in the outbox, at most
_CLAIMED = 1500  # ms: who was claimed before the doubt came may still POST
_FIRST_PAUSE = 5 * SECOND
_QUIET = 15 * SECOND  # longer than any call of Twilio takes
_RECORDING = 500  # ms: who died this soon after an answer may not have noted it


def problems(database: Database, world: World) -> Iterator[str]:
    if world.forgotten:
        return  # a restored box knows nothing of what it sent
    yield from _over_a_person(database, world)
    yield from _into_an_incident(world)


def _over_a_person(database: Database, world: World) -> Iterator[str]:
    """A question whose answer was in doubt and is absent is not answered once more where the list shows that a person
    did it meanwhile.
    """
    if not world.scenario.by_hand:
        return
    found = database.rows(
        "SELECT o.id, o.body, o.created_at, c.address FROM outbox o JOIN contacts c ON c.id = o.contact_id"
    )
    rows = {row: (body, at, address) for row, body, at, address in found}
    late = world.scenario.lag + world.scenario.sent_lag + SECOND
    for entry in world.ours():
        row = _row(entry.reference)
        for person in (each for each in world.elsewhere() if each.recipient == entry.recipient):
            in_vain = {
                _row(reference)
                for reference, (shape, at, _) in world.posts.items()
                if shape in _IN_VAIN and at < person.created_at and reference != entry.reference
            }
            in_vain = {each for each in in_vain if rows[each][2] == rows[row][2]}  # others ask the same
            asked = _numbers(*(rows[each][0] for each in in_vain)) - _asked_since(world, person)
            decided_at = world.posts[entry.reference][1] if row in in_vain else rows[row][1] - _THINKING
            if asked & _numbers(entry.body) and person.visible_at + late <= decided_at:
                yield f"unexpected: {entry.sid} was sent although a person had answered"


def _row(reference: str) -> int:
    return int(reference.partition(".")[0])


def _numbers(*bodies: str) -> set[str]:
    return {number for body in bodies for number in _NUMBER.findall(body)}


def _asked_since(world: World, person: Entry) -> set[str]:
    entries = world.inbound()
    return _numbers(
        *(each.body for each in entries if each.created_at >= person.created_at and each.sender == person.recipient)
    )


def _into_an_incident(world: World) -> Iterator[str]:
    """After a send without a clear answer the account is left alone for five seconds, across a restart too.

    That a process died while it was sending says nothing about Twilio; nor does what its callback has settled.
    """
    for account in sorted(set(world.sent_by.values())):
        yield from _into_an_incident_of(world, account)


def _into_an_incident_of(world: World, account: str) -> Iterator[str]:
    posts = {each: post for each, post in world.posts.items() if world.sent_by[each] == account}
    ends = [world.ended.get(each, 0) for each, (shape, _, _) in posts.items() if shape in _IN_DOUBT]
    crashes = [start for start, _ in world.dead]
    for reference, (shape, _, _) in posts.items():
        end = world.ended.get(reference, 0)
        is_noted = shape in _IN_VAIN and not any(end <= crash < end + _RECORDING for crash in crashes)
        if not is_noted or any(end - _QUIET < other < end for other in ends):
            continue  # a pause counts from the first of several doubts
        for later, (_, at, _) in posts.items():
            if _CLAIMED <= at - end < _FIRST_PAUSE and not _answered_between(world, posts, end, at):
                yield f"unexpected: {later} was POSTed {at - end} ms after {reference} had ended in doubt"


def _answered_between(world: World, posts: Mapping[str, tuple[str, int, int]], start: int, end: int) -> bool:
    """Whether Twilio gave a clear answer meanwhile: then the account is well again."""
    clear = (world.ended.get(each, end + 1) for each, (shape, _, _) in posts.items() if shape not in _IN_DOUBT)
    return any(start <= at <= end for at in clear)
