"""Every reason that a card can give, in the words in which it is stored. A test finds them where they are written.

Behind them may stand, in parentheses, what another program or the system said.
"""

from collections.abc import Iterator, Mapping

from appliance.notices.catalogue import CATALOGUE
from appliance.twilio import codes
from appliance.wire import Fault

CUSTOMERS = (
    "asks for a person",
    "writes like a machine",
    "asks what the knowledge does not say",
    "wrote again",
    "waited for a person",
    "wrote while the appliance was off",
    "wrote while being forgotten",
    "wrote during a pause",
)
ANSWERS = (
    "WhatsApp allows a free answer only within 24 hours of the customer's message",
    "more than {limit} replies in an hour",
    "it waited too long",
    "it was damaged on disk",
    "answered by a person",
    "a newer message reached the customer",
    "the channel was removed",
    "the channel was moved to another account",
    "an earlier attempt ended without a result",
    "the appliance stopped while sending",
    "Twilio gave no clear answer",
    "another message to this customer stands in Twilio's log",
    "Twilio's log is too long to be read",
    "twilio.on_doubt leaves it to a person",
)
OURS = (
    "internal error",
    "internal error while recording the result",
    "the appliance crashed three times on it",
    "the disk has too little space for another copy",
)
WAITS = (  # of somebody's wish to be forgotten
    "an answer to the person is under way",
    "whether a message reached the person is not known; Twilio's log will tell within half an hour",
    "a backup or another program reads the database",
    "some of the messages are still on their way at Twilio, which deletes them only afterwards",
    "Twilio's log of the account {at} cannot be read, which alone tells whether a message reached the person; give the "
    "account a key that works; after 24 hours it goes on without",
    "Twilio's log of the account {at} cannot be read, which alone tells what is to be deleted there; give the account "
    "a key that works; after 24 hours it goes on without",
    "Twilio deletes nothing in the account {at}; give it a key that works; 72 hours after the wish it stays there",
    "something has just come in, or an answer to it is in doubt",
    "it cannot be read",
)
REFUSED = (
    "the signature is missing",
    "the signature does not fit, and nothing that is known here would",
    "the signature does not fit, {url} would have",
)
CHANGES = (
    "let the proxy hand on the header X-Twilio-Signature",
    "compare the token in {section}.auth_tokens with Twilio's console, and server.public_url ({reached}) with the "
    "address there; else a proxy changes what it hands on",
    "set server.public_url to {public_url}",
    "set server.public_url to {public_url}, or the address in Twilio's console to {console}",
    "set the address in Twilio's console to {console}",
    "let the proxy take {strip} away from the path",
    "Twilio signed it as {method}: set the webhook's method to HTTP POST, at an address that does not redirect",
    "it was signed with a token of {other}: put that into {section}.auth_tokens, where it belongs",
    "it was signed with a token of {other}: put that into {section}.auth_tokens, where it belongs, or set "
    '{section}.parent to "{other}" if it is the parent',
)
LINKS = (*Fault, "connecting", "waiting for the answer", "no credentials", "more messages than can be read")
AI = (
    "no answer within the deadline",
    "the AI provider asked us to wait",
    "it does not answer",
    "the provider answers with an error",
    "the provider refused this question",
    "ai.base_url or ai.api_key is not usable",
    "the provider's filter withheld the answer",
    "the model refused to answer",
    "an answer without choices",
    "an error in place of an answer",
    "a tool call in place of an answer",
    "thoughts without an answer",
    "control tokens in the answer",
    "the answer was empty",
    "the answer was too large",
    "the answer was longer than ai.max_output_tokens allows",
    "the answer repeated our rules",
    "the answer was not JSON",
    "the answer was JSON of another shape",
)
TWILIO = tuple(dict.fromkeys((*codes.WORDS.values(), codes.words(None), codes.words(-1))))

# By what they tell of; the headings are those of `docs/cards.md`.
REASONS: Mapping[str, tuple[str, ...]] = {
    "Of customers": CUSTOMERS,
    "Of answers": ANSWERS,
    "Of the links to Twilio and to the AI provider": tuple(map(str, LINKS)),
    "Of the AI": AI,
    "Of refused webhooks": REFUSED,
    "Of refused webhooks, what to change": CHANGES,
    "Of what is waited for": WAITS,
    "Of the appliance itself": OURS,
    "Of Twilio": TWILIO,
}
WITH_CODE = " (Twilio error {code})"
SOMEBODY = "a customer"
WAITING = ("{count} customer waits for an answer.", "{count} customers wait for an answer.")  # one, several


def sentences() -> Iterator[str]:
    """All that a reader of cards can see and that is translated, but for WAITING."""
    for kind in CATALOGUE.values():
        yield from (kind.title, kind.text, kind.itself, kind.todo, kind.closes)
    for reasons in REASONS.values():
        yield from reasons
    yield from (WITH_CODE, SOMEBODY)
