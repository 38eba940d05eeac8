"""Questions that nobody could answer are kept, grouped, and go where they are answered after all; answers are counted."""

from pathlib import Path

import pytest

from appliance.language.words import equal_words
from appliance.outbox import binding
from appliance.people import identity
from appliance.simulator import Fault
from appliance.store import Tx
from appliance.store.unanswered import Group
from appliance.wire import DeliveryReport
from tests.support.fake_ai import FakeAi
from tests.support.world import ACCOUNT, CUSTOMER, SMS, World

SUGAR = "Vocês fazem bolo sem açúcar?"
OTHER = "+5511988886666"
THIRD = "+5511988885555"


async def groups(world: World) -> list[Group]:
    return await world.appliance.store.read(lambda tx: tx.unanswered.groups(1, 0, 20))


async def asked(world: World) -> list[tuple[str, int, int]]:
    """Each group's newest wording, how often, by how many people."""
    return [(each.question, each.times, each.people) for each in await groups(world)]


async def ask(world: World, *messages: str, sender: str = CUSTOMER) -> None:
    for message in messages:
        await world.say(message, sender)
        await world.settle()


@pytest.mark.parametrize(
    "other",
    ["voces fazem BOLO sem acucar", "bolo sem açúcar vocês fazem???", "Oi, bom dia! Vocês fazem bolo sem açúcar?",
     "Vocês fazem bolo sem ac\u0327u\u0301car, por favor?"],
)  # fmt: skip
def test_equal_questions(other: str) -> None:
    """Case, accents, punctuation, order and courtesy make no other question."""
    assert equal_words(other, "pt-BR") == equal_words(SUGAR, "pt-BR") != ""


def test_other_questions() -> None:
    """Another word is another question; a greeting is none; a blob has a bounded key."""
    assert equal_words("Vocês fazem bolo sem glúten?", "pt-BR") != equal_words(SUGAR, "pt-BR")
    assert equal_words("Oi, tudo bem?", "pt-BR") == ""
    assert len(equal_words("xyz " * 10 + "q" * 5_000, "pt-BR")) <= 400


async def test_grouped_with_the_number_of_people(world: World) -> None:
    """Asked again it is one more time, by the same person one person still; the wording is the newest one's."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await ask(world, SUGAR, "BOLO sem acucar, vocês fazem??")
    await ask(world, "Fazem bolo sem açúcar?", "Qual o horário?", sender=OTHER)
    await ask(world, "Tem estacionamento?", sender=THIRD)

    assert await asked(world) == [("Fazem bolo sem açúcar?", 3, 2), ("Tem estacionamento?", 1, 1)]


async def test_a_person_with_two_addresses_counts_once(world: World) -> None:
    """Contacts that are the same person are one."""
    await ask(world, SUGAR)
    await ask(world, SUGAR, sender=OTHER)

    def join(tx: Tx) -> None:
        first, second = tx.contacts.at(1, CUSTOMER), tx.contacts.at(1, OTHER)
        assert first and second
        identity.join(tx, first.id, second.id, "by hand")

    await world.appliance.store.write(join)

    assert await asked(world) == [(SUGAR, 2, 1)]


async def test_what_waits_as_promised_is_noted_too(world: World) -> None:
    """The third question in a row is promised a person; what is not known after that is silence, and still counts."""
    await ask(world, "Tem estacionamento?", "Tem piscina?", "Aceitam cachorro?", "Vendem bicicleta?")

    assert {question for question, _, _ in await asked(world)} == {
        "Tem estacionamento?", "Tem piscina?", "Aceitam cachorro?", "Vendem bicicleta?"
    }  # fmt: skip
    assert await world.column("SELECT suppressed FROM messages WHERE body LIKE 'Vendem%'") == ["promised"]


async def test_answered_after_all(world: World) -> None:
    """What was noted and is answered with the next message, or when it is given back, was known."""
    await ask(world, SUGAR)
    await world.teach("Bolo sem açúcar", "Fazemos, sob encomenda.")
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE messages SET reply_id = NULL"))
    assert await asked(world) == [(SUGAR, 1, 1)]
    await ask(world, "E então?")

    assert await asked(world) == []


async def test_a_message_is_one_question(world: World) -> None:
    """However often it is tried: a draft that was withdrawn, a job that ran again."""
    await ask(world, SUGAR)
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE messages SET reply_id = NULL"))
    await ask(world, "alguém?")

    assert (SUGAR, 1, 1) in await asked(world)


async def test_a_wish_for_a_person_is_no_question(world: World) -> None:
    """Nor are a greeting, thanks, a photo."""
    await ask(world, "Oi", "obrigado", "quero falar com um atendente")
    await world.say("", OTHER, SMS, extra={"NumMedia": "1", "MediaUrl0": "https://x.test/1"})
    await world.settle()

    assert await asked(world) == []


async def test_a_model_that_hands_over_did_not_know(tmp_path: Path) -> None:
    """Where the customer did not ask for a person; its own words are from no topic and count for none."""
    model = FakeAi()
    async with World(tmp_path, model=model) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        model.answer = "[[HANDOFF]]"
        await ask(world, SUGAR)
        model.answer = "Abrimos às 7h."
        await ask(world, "Qual o horário?", sender=OTHER)

        assert await asked(world) == [(SUGAR, 1, 1)]
        assert await world.rows("SELECT * FROM topic_answers") == []


async def counts(world: World) -> dict[str, int]:
    def read(tx: Tx) -> dict[str, int]:
        organization = tx.organizations.get(1)
        assert organization is not None
        return tx.topic_answers.of_the_week(organization)

    return await world.appliance.store.read(read)


async def test_counted_once_per_answer(world: World) -> None:
    """An answer to two questions is one of each topic."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await world.teach("Entrega", "Entregamos no Centro.")
    await ask(world, "Qual o horário?", "Qual o horário? Vocês entregam?")

    assert await counts(world) == {"Horário": 2, "Entrega": 1}


@pytest.mark.parametrize("kind", ["early", "twice", "out_of_order"])
async def test_callbacks_count_nothing_more(world: World, kind: str) -> None:
    """Before the POST's answer, twice, backwards: one answer."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    world.twilio.faults.add(Fault("callback", kind))
    await ask(world, "Qual o horário?")

    assert await counts(world) == {"Horário": 1}


async def test_a_second_attempt_counts_nothing_more(world: World) -> None:
    """A callback of the first attempt comes after the second one was named: the row had its sid."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await ask(world, "Qual o horário?")
    row = (await world.rows("SELECT id, tag FROM outbox"))[0]
    report = DeliveryReport(
        reference=f"{row['id']}.1.{row['tag']}", sid="SM" + "9" * 32, status="sent", error_code=None,
        account_sid=ACCOUNT, sender=SMS, recipient=CUSTOMER, accounts=("main",),
    )  # fmt: skip
    await world.appliance.store.write(lambda tx: binding.apply(tx, report, world.config))

    assert await world.column("SELECT count(*) FROM attempts WHERE sid IS NOT NULL") == [2]
    assert await counts(world) == {"Horário": 1}


async def test_an_answer_that_is_never_sent_does_not_count(world: World) -> None:
    """What Twilio refuses said nothing to anybody."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    world.twilio.faults.add(Fault("create", "error", status=400, code=21211))
    await ask(world, "Qual o horário?")

    assert await counts(world) == {}
