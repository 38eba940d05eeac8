"""Two of our boxes wired to each other fall silent, and both owners are told; a customer who writes fast is none."""

import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from appliance import texts
from appliance.model import Language, Organization, TextKey
from appliance.ports import Dialogue, Reply, Responder
from appliance.reply.machines import Burst, is_machine
from tests.support.world import ManualClock, World

ONE, OTHER = "+5511988880001", "+5511988880002"  # how each of the two boxes calls the other
LONG = "Temos pão francês, bolos e salgados, tudo fresquinho. Posso ajudar com mais alguma coisa? ({})"


class Chatty:
    """A model that always has something to say."""

    def __init__(self, says: str) -> None:
        self._says = says
        self._numbers = itertools.count()

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        return Reply("chatty", text=self._says.format(next(self._numbers)))

    async def close(self) -> None:
        """Nothing is held."""


async def boxes(directory: Path, stack: AsyncExitStack, responder: Callable[[], Responder] | None) -> list[World]:
    found = []
    for name, language in (("one", "pt-BR"), ("other", "pt-BR")):
        world = World(
            directory / name, clock=ManualClock(), responder=responder() if responder else None, language=language
        )
        found.append(await stack.enter_async_context(world))
        await world.teach("Horário", "Abrimos das 7h às 19h, de segunda a sábado, e domingo até as 13h.")
        await world.teach("Entrega", "Entregamos na Vila Nova, taxa de R$ 8,00.")
    return found


async def wired(one: World, other: World, words: str, seconds: float) -> None:
    """What each says the other hears some seconds later, until both are silent or have said a hundred things."""
    assert isinstance(one.clock, ManualClock) and isinstance(other.clock, ManualClock)
    ways = [(one, OTHER, other, ONE), (other, ONE, one, OTHER)]
    heard = [0, 0]
    await one.say(words, OTHER)
    await one.settle()
    while sum(heard) < 100:
        before = sum(heard)
        for number, (speaker, to, listener, by) in enumerate(ways):
            for words in speaker.sent(to)[heard[number] :]:
                heard[number] += 1
                for clock, world in ((one.clock, one), (other.clock, other)):
                    await clock.advance(seconds, world.settle)
                await listener.say(words, by)
                await listener.settle()
        if sum(heard) == before:
            return


RESPONDERS: dict[str, Callable[[], Responder] | None] = {
    "faq": None,
    "long": lambda: Chatty(LONG),
    "short": lambda: Chatty("Ok!"),
}


@pytest.mark.parametrize("seconds", [0, 5])
@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("faq", "Oi"),
        ("faq", "Qual o horário?"),
        ("faq", "Vendem pneus?"),
        ("faq", "ATENDENTE"),
        ("long", "Oi"),
        ("short", "Oi"),
    ],
)
async def test_two_of_our_boxes_fall_silent(tmp_path: Path, who: str, words: str, seconds: float) -> None:
    """Within six messages of each, with a card on each, whatever answers there."""
    async with AsyncExitStack() as stack:
        one, other = await boxes(tmp_path, stack, RESPONDERS[who])
        await wired(one, other, words, seconds)

        for world, to in ((one, OTHER), (other, ONE)):
            assert 1 <= len(world.sent(to)) <= 6
            assert await world.cards() == ["waiting"]
            assert await world.column("SELECT handover FROM contacts") == ["asked"]


async def test_the_owner_reads_why(tmp_path: Path) -> None:
    """On the card and in the thread's events: nobody asked for a person."""
    async with World(tmp_path, clock=ManualClock(), responder=Chatty(LONG)) as world:
        for _ in range(5):
            await world.say("Claro, e o que mais você gostaria de saber sobre os bolos?")
            await world.settle()

        assert len(world.sent()) == 5
        assert await world.told() == [
            "…7777 waits for a person. The customer writes like a machine, and nobody has answered yet."
        ]
        assert await world.rows("SELECT what, who FROM handover_events") == [{"what": "asked", "who": "loop"}]


# Seconds from one message to the next, and how many characters each has.
@pytest.mark.parametrize(
    ("seconds", "lengths", "is_one"),
    [
        ([7] * 4, [90] * 5, True),
        ([7] * 3, [90] * 4, False),  # too few to tell
        ([7, 7, 30, 7], [90] * 5, False),  # one was written by hand
        ([7] * 4, [90, 90, 12, 90, 90], False),  # what is short is written in no time
        ([20] * 4, [110] * 5, False),  # a fast typist
        ([40] * 4, [300] * 5, True),
    ],
)
def test_a_hand_is_slower(seconds: list[int], lengths: list[int], is_one: bool) -> None:
    """Four messages in a row that nobody could have typed since the one before."""
    at = [0, *itertools.accumulate(each * 1_000 for each in seconds)]
    bursts = [
        Burst(f"{number}" + "x" * (length - 1), when)
        for number, (length, when) in enumerate(zip(lengths, at, strict=True))
    ]
    assert is_machine(bursts) == is_one


@pytest.mark.parametrize(("seconds", "is_one"), [(100, True), (130, False)])
def test_the_same_words_again_and_again(seconds: int, is_one: bool) -> None:
    """Five times, each within two minutes of the one before."""
    assert is_machine([Burst("Ok!", number * seconds * 1_000) for number in range(5)]) == is_one


@pytest.mark.parametrize("language", ["pt-BR", "en", "es"])
@pytest.mark.parametrize("contact", ["", "+55 11 4000-0000"])
def test_our_fixed_texts_are_known_again(language: Language, contact: str) -> None:
    """Each, in each language, with and without a contact; what customers write is none."""
    shop = Organization(1, "Padaria (Aurora)", language, "UTC", contact=contact)
    for key in TextKey:
        options = ("Bolos", "Pães") if key == TextKey.MENU else ()
        assert texts.is_fixed(texts.render(key, shop, options)) == (key != TextKey.LATE), key
    for words in ("Oi", "ATENDENTE", "Vocês estão fechados agora?", "Quero falar com uma pessoa", "1", ""):
        assert not texts.is_fixed(words)
