"""Which passwords are taken: long ones that have something of their own."""

import asyncio

import pytest

from appliance.errors import RequestError
from appliance.operations.passwords import NOBODY, fits, hash_password, is_guessable, is_password, make

ABOUT = ("marta.silva@padaria-aurora.example", "Padaria Aurora")
GUESSED = [
    "123456789012", "1234567890123456", "qwertyuiop12", "qwerty123456", "asdfghjkl123", "1q2w3e4r5t6y", "1qaz2wsx3edc",
    "zxcvbnmasdfg", "aaaaaaaaaaaa", "121212121212", "abcabcabcabc", "abcdefghijkl", "098765432109", "password1234",
    "Password2026!", "P@ssw0rd1234", "passwordpassword", "senhasenhasenha", "senha12345678", "minhasenha123",
    "Flamengo2026!", "corinthians12", "iloveyou12345", "administrador", "administrator1", "letmein123456",
    "padariaaurora", "Padaria Aurora 2026", "martasilva2026", "marta.silva@padaria-aurora.example", "Marta123456789",
    "appliance1234", "changeme12345", "lucaslucaslucas", "000000000000", "............", "correcthorsebatterystaple",
    "Correct Horse Battery Staple", "familia12345678", "segundafeira1", "janeiro202612", "            ",
]  # fmt: skip
TAKEN = [
    "quatro palavras bem simples", "padaria aurora tem pao quente", "Xk7#pq9!mW2z", "cavalo grampo bateria", "pão-de-queijo às sete",
    "o gato da marta dorme", "trocadilho vespertino", "ночной поезд идёт", "我的猫喜欢在晚上睡觉觉呢", "7391 5820 4417 22",
]  # fmt: skip


def test_what_somebody_would_try_first_is_refused() -> None:
    """Common ones, rows of keys, repetitions, years, the user's and the shop's names; whatever is around them."""
    assert [each for each in GUESSED if not is_guessable(each, ABOUT)] == []
    assert [each for each in TAKEN if is_guessable(each, ABOUT)] == []


@pytest.mark.parametrize(
    ("password", "code"),
    [("Xk7#pq9!mW2", "bad_password"), ("x" * 257, "bad_password"), ("qwerty123456", "weak_password")],
)
def test_length_first(password: str, code: str) -> None:
    """Twelve characters at least and 256 at most, of any kind."""
    with pytest.raises(RequestError) as refused:
        hash_password(password)
    assert (refused.value.code, refused.value.field) == (code, "password")


def test_only_the_password_fits() -> None:
    """However its accents were typed; never twice the same hash; nothing fits nobody's."""
    hashed = hash_password("pão de queijo às sete")
    assert is_password("pa\u0303o de queijo a\u0300s sete", hashed)
    assert not is_password("pao de queijo as sete", hashed)
    assert not is_password("", hashed)
    assert not is_password("\ud800" * 12, hashed)
    assert hash_password("pão de queijo às sete") != hashed
    assert not is_password("", NOBODY)


async def test_a_guess_costs_the_same_where_nobody_is() -> None:
    """Whether a user exists, and has a password, cannot be told from the work; the loop goes on meanwhile."""
    hashed = await make("pão de queijo às sete")
    assert [len(part) for part in NOBODY.split("$")] == [len(part) for part in hashed.split("$")]
    assert NOBODY.split("$")[:4] == hashed.split("$")[:4]
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    other = asyncio.create_task(turn())
    assert not await fits("wrong", None)
    assert await fits("pão de queijo às sete", hashed)
    other.cancel()
    assert turns > 10
