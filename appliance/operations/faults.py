"""Which of the box's faults concern an organization's customers, for people who do not see the box's own cards."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.notices.sentences import Card as Stored
from appliance.operations import cards
from appliance.store import Tx
from appliance.store.cards import ACCOUNT, BOX, CardKind, account, channel, facts

KINDS = (
    CardKind.CREDENTIALS,
    CardKind.UNREACHABLE,
    CardKind.RESTORED,
    CardKind.TWILIO,
    CardKind.AI,
    CardKind.DISK,
    CardKind.SIGNATURE,
    CardKind.UNHEARD,
    CardKind.CLOCK,
    CardKind.LOG,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind`: the card's, with its case; `since`: ms UTC; `is_partial`: for some of the numbers alone."""

    kind: str
    since: int
    is_partial: bool = False


def of_organization(tx: Tx, organization_id: int, untold: Sequence[Stored] = ()) -> list[Fault]:
    """`untold`: what is wrong with the box and has no card, as the disk takes none."""
    channels = tx.channels.of(organization_id)
    ours = {account(each.account) for each in channels} | {channel(each.id) for each in channels}
    accounts = {each.account for each in channels}
    found = []
    for card in [*cards.lacking(tx, untold), *tx.cards.of_kinds_in_the_box(KINDS)]:
        subject, case = card["subject"], facts(card).get("case")
        if card["kind"] not in KINDS or subject not in {BOX, *ours}:
            continue
        kind = f"{card['kind']}.{case}" if card["kind"] == CardKind.TWILIO and case else str(card["kind"])
        is_account = subject == ACCOUNT or subject.startswith(f"{ACCOUNT}:")
        is_all = subject == BOX or (is_account and len(accounts) == 1) or len(channels) == 1
        found.append(Fault(kind, int(facts(card).get("since") or card["opened_at"]), is_partial=not is_all))
    return found
