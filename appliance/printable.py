"""Hostile text made safe to show in one line of a log or a terminal."""

_ZERO_WIDTH_JOINER = "\u200d"  # joins emoji; harmless to a terminal


def escaped(text: str) -> str:
    """Text in which nothing can break a line, move a cursor or turn the reading direction."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character == _ZERO_WIDTH_JOINER
        else character.encode("unicode_escape").decode()
        for character in text
    )
