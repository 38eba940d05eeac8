"""Which of a menu's options a message chooses: by its number, by the word for it, or by a name of it.

Understood in Portuguese, English and Spanish, whatever the organization speaks. Whatever says more than that is no
choice but a question. Pure.
"""

from collections.abc import Sequence

from appliance.language.courtesy import without_courtesy
from appliance.language.text import words
from appliance.language.words import Vocabulary, content_words
from appliance.model import Language

_NUMBERS = {
    word: number
    for number, said in enumerate(
        (
            "1 um uma one uno una un primeiro primeira first 1st primero primera primer 1o 1a",
            "2 dois duas two dos segundo segunda second 2nd 2o 2a",
            "3 tres three terceiro terceira third 3rd tercero tercera tercer 3o 3a",
        ),
        start=1,
    )
    for word in words(said)
}
_LAST = frozenset(words("ultimo ultima last"))
_ALL = frozenset(words("todos todas ambos ambas both all"))
_YES = frozenset(words("sim s si yes yep yeah isso mesmo exato esse essa eso ese esa this that"))
_NOT = frozenset(words("nao nem sem sin not none neither nenhum nenhuma ningun ninguno ninguna"))
# What may stand around the number: "quero a opção 2", "é a nº 2", "the second one", "la primera".
_AROUND = frozenset(
    words(
        "a o e eh esse essa esta este isso sobre quero queria prefiro escolho seria pode ser opcao numero num "
        "nro n no nr the it s is i d want would like about option number pick choose and that this me el lo la las los "
        "es y quiero prefiero elijo opcion eso ese esa"
    )
)


def chosen(message: str, options: Sequence[Sequence[str]], language: Language) -> tuple[int, ...]:
    """The options (by index) that the message chooses, each given by its names; none where it is a question."""
    said = without_courtesy(message)
    rest = [word for word in said if word not in _AROUND]
    # "no 2" is number two, "no es la 2" is not.
    if not _NOT.isdisjoint(said) or ("no" in said and len(said) > 2):
        return _called(message, options)
    if len(options) == 1 and said and _YES.issuperset(rest) and _YES.intersection(said):
        return (0,)
    if rest and _ALL.issuperset(rest):
        return tuple(range(len(options)))
    if len(rest) > 1 and rest[-1] == "one":  # "the second one"
        rest.pop()
    numbers = [len(options) if word in _LAST else _NUMBERS.get(word, 0) for word in rest]
    if numbers and all(1 <= number <= len(options) for number in numbers):
        return tuple(dict.fromkeys(number - 1 for number in numbers))
    return _called(message, options) or _partly(message, options, language)


def _called(message: str, options: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """The option one of whose names is the message."""
    whole = words(message)
    return tuple([index for index, names in enumerate(options) if whole in map(words, names)][:1])


def _partly(message: str, options: Sequence[Sequence[str]], language: Language) -> tuple[int, ...]:
    """The only option of whose names the message says a part, and nothing besides."""
    asked = content_words(message, language)
    part = [
        index
        for index, names in enumerate(options)
        if asked and any(all(map(Vocabulary.of(name, language).count, asked)) for name in names)
    ]
    return tuple(part) if len(part) == 1 else ()
