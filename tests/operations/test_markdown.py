"""Knowledge as its owner writes it, read from Markdown."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import RequestError
from appliance.operations.markdown import MAX_ALIAS, MAX_ALIASES, MAX_FILE, MAX_TITLE, MAX_TOPIC, names, parse


@pytest.mark.parametrize(
    ("markdown", "topics"),
    [
        ("# A\num\n## B\ndois\n", [("A", "um"), ("B", "dois")]),
        ("\ufeff# A\r\num\r\n\r\n### B ###\r\ndois\rtrês", [("A", "um"), ("B", "dois\ntrês")]),
        ("# Padaria\n\n## Horário\n7h\n", [("Horário", "7h")]),
        ("# A\n## B\n### C\nx\n# D\ny", [("C", "x"), ("D", "y")]),
        ("# A\n```\n# não é título\n```\nfim", [("A", "```\n# não é título\n```\nfim")]),
        ("# A\n~~~~ sh\n# x\n~~~\n```\n~~~~~\n# B\ny", [("A", "~~~~ sh\n# x\n~~~\n```\n~~~~~"), ("B", "y")]),
        ("# A\n```\n# até o fim", [("A", "```\n# até o fim")]),
        ("   # **Pix** #\nx", [("Pix", "x")]),
        ("# C#\nx", [("C#", "x")]),
        ("# A\n#tag\n####### sete\n    # código", [("A", "#tag\n####### sete\n    # código")]),
        ("\n\n# pa\u0303o\nx\x00y", [("pão", "xy")]),
    ],
)
def test_parse(markdown: str, topics: list[tuple[str, str]]) -> None:
    """Headings of any level are topics; code fences, byte order marks and line ends of all kinds are understood."""
    assert [(entry.title, entry.body) for entry in parse(markdown)] == topics


@pytest.mark.parametrize(
    ("line", "aliases"),
    [
        ("Também: wifi, internet", ("wifi", "internet")),
        ("TAMBEM:wi-fi", ("wi-fi",)),
        ("  also : Wi-Fi , WI-FI,, wi fi", ("Wi-Fi",)),
        ("También: clave", ("clave",)),
        ("- **Também:** wifi, *internet*", ("wifi", "internet")),
        ("Também: a.*b, [senha](x)", ("a.*b", "senha: x")),
        ("Também:", ()),
        ("Também: rede", ()),
        ("Também fazemos: x", None),
        ("Sobre: x", None),
    ],
)
def test_what_customers_call_a_topic(line: str, aliases: tuple[str, ...] | None) -> None:
    """A line of its own, in any of the three languages; it is no text, and the title again is no other name."""
    (entry,) = parse(f"# Rede\num\n{line}\ndois")

    assert entry.aliases == aliases
    assert entry.body == ("um\ndois" if aliases is not None else f"um\n{line}\ndois")


def test_several_lines_add_up_and_code_is_text() -> None:
    """Names may stand in several lines; inside a code fence nothing is a name."""
    (entry,) = parse("# A\nAlso: b\nx\n```\nAlso: d\n```\nTambém: c, b")

    assert entry.aliases == ("b", "c")
    assert "Also: d" in entry.body


@pytest.mark.parametrize(
    ("markdown", "message"),
    [
        ("olá\n# A\nx", "line 1: text before the first heading"),
        ("\n\n```\n# A\n```\n", "line 3: text before the first heading"),
        ("# A\nx\n## Horário\ny\n# HORARIO\nz", "line 5: “HORARIO” is already a heading in line 3"),
        ("# A\n\n# B\nx", "line 1: nothing is said under “A”"),
        ("# A\nx\n## B", "line 3: nothing is said under “B”"),
        ("# A\n```\n```", "line 1: nothing is said under “A”"),
        ("# A\nx\n#\ny", "line 3: a heading without words"),
        ("# A\nx\n## ##\ny", "line 3: a heading without words"),
        (f"# {'A' * (MAX_TITLE + 1)}\nx", "line 1: a heading of more than"),
        (f"# A\nx\n# B\n{'é' * (MAX_TOPIC // 2 + 1)}", "line 3: more than 16 KiB under “B”"),
        (f"# A\nx\nTambém: {'y' * (MAX_ALIAS + 1)}", f"line 3: a name of more than {MAX_ALIAS} characters for “A”"),
        (
            f"# A\nx\nAlso: {','.join(map(str, range(MAX_ALIASES + 1)))}",
            f"line 3: more than {MAX_ALIASES} names for “A”",
        ),
        ("# A\nx\nTambién: wifi, ?!", "line 3: a name without words for “A”"),
        ("# A\nTambém: wifi", "line 1: nothing is said under “A”"),
        ("# A\n" + "x" * MAX_FILE, "the file is larger than 1024 KiB"),
        ("", "no heading found"),
        (" \n\t\n", "no heading found"),
    ],
)
def test_faults_name_the_line(markdown: str, message: str) -> None:
    """What cannot be understood is refused with its place."""
    with pytest.raises(RequestError) as fault:
        parse(markdown)

    assert fault.value.message.startswith(message)
    assert (fault.value.code, fault.value.field) == ("invalid_knowledge", "knowledge")


LINES = st.lists(st.one_of(st.text(max_size=8), st.sampled_from(["# A", "## B", "#", "```", "~~~", "# A #", "x"])))


@given(LINES)
def test_any_file_is_parsed_or_refused(lines: list[str]) -> None:
    """No text raises anything else, and what comes out is never empty."""
    try:
        topics = parse("\n".join(lines))
    except RequestError:
        return

    assert topics
    assert all(entry.title and entry.body for entry in topics)


def test_names_without_end() -> None:
    """No more are looked at than a topic can have; the topic's own counts as none, however often it is said."""
    with pytest.raises(ValueError, match=f"more than {MAX_ALIASES} names"):
        names((f"nome {number}" for number in itertools.count()), "Entrega")
    assert names(["ENTREGA", *(f"nome {number}" for number in range(MAX_ALIASES)), "entrega"], "Entrega")
