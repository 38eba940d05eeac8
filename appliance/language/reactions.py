"""What says nothing that wants an answer: a reaction told in words, as phones do on SMS, and bare emoji. Pure.

A phone that cannot show a reaction writes it out: 'Liked “…”', 'Curtiu “…”', 'Reacted 👍 to “…”', the message it is
about quoted after it. Only where the quote is the whole rest: "Liked your cake, do you deliver?" is a question.
Understood in Portuguese, English and Spanish, whatever the organization speaks.
"""

import re
import unicodedata

_VERBS = """
    liked, loved, disliked, laughed at, emphasi[sz]ed, questioned, reacted with a sticker to, reacted (?:with )?@ to,
    @ to, removed (?:(?:a|an) (?:like|heart|dislike|laugh|exclamation|exclamation mark|question mark|sticker)|@) from,
    curtiu, descurtiu, nao curtiu, gostou de, nao gostou de, amou, adorou, riu(?:-se)? de, achou graca (?:em|de),
    enfatizou, deu enfase a, destacou, exclamou (?:em|sobre), questionou, perguntou sobre, reagiu (?:com )?@ a,
    reagiu com uma figurinha a, removeu (?:a reacao|(?:um|uma) *|@) de,
    (?:no )?le gusto, (?:no )?le ha gustado, (?:indico|ha indicado) que (?:no )?le (?:gusta|encanta), le encanto,
    le ha encantado, le dio risa, le hizo gracia, le causo gracia, se (?:rio|ha reido) de, exclamo (?:por|sobre),
    enfatizo, destaco, dudo (?:de|sobre), cuestiono, pregunto (?:por|sobre), (?:reacciono|ha reaccionado) (?:con )?@ a,
    reacciono con un sticker a, (?:elimino|quito) (?:la reaccion|(?:un|una) *|@) de
    """
_THINGS = """
    an image, a photo, a picture, a video, a movie, an attachment, an audio message, a voice message, a sticker, a gif,
    a link, a location, a contact, a message, uma imagem, uma foto, um video, um filme, um anexo, um audio,
    uma mensagem de (?:audio|voz), uma figurinha, um gif, um link, uma localizacao, um contato, uma mensagem,
    una imagen, una foto, un video, una pelicula, un archivo(?: adjunto)?, un adjunto, un audio,
    un mensaje de (?:audio|voz), un sticker, un gif, un enlace, una ubicacion, un contacto, un mensaje
    """
_SAID = "|".join(" ".join(verb.split()) for verb in _VERBS.split(","))
_SAID = _SAID.replace("@", r"[^ \w]{1,20}").replace("*", "[a-z ]{1,30}")
_THING = "|".join(" ".join(thing.split()) for thing in _THINGS.split(","))
# Curly quotes may stand in curly quotes; of straight ones nobody can tell which closes, so there may be but two.
_QUOTED = "“[^“”]*(?:“[^“”]*”[^“”]*)*”|«[^»]*»|‘(?:[^‘’]|’(?=\\w))*’|\"[^\"]*\"|'[^']*'"
# Without its accent this is "I ask about", which no phone writes.
_ASKS = frozenset(("dudo", "pregunto", "cuestiono", "destaco", "enfatizo", "exclamo"))
_REACTION = re.compile(rf"(?:{_SAID}) (?:{_QUOTED}|{_THING})", re.DOTALL)

# Blocks of pictographs; ❓❔⁉ and the digits on keycaps, with which a menu is answered, are words to us.
_PICTURE = re.compile("[©®‼™ℹ↔-↪⌚-⏿Ⓜ▪-◾☀-❒❖-➿⤴⤵⬅-⭕〰〽㊗㊙\U0001f000-\U0001faff]")
_AROUND = re.compile("[\\s!.♂♀\u200d\u20e3\ufe0e\ufe0f\U000e0020-\U000e007f]")


def is_reaction(text: str) -> bool:
    """Whether the whole text is a reaction to a message, told in words."""
    plain = unicodedata.normalize("NFD", " ".join(text.split()).casefold())
    letters = "".join(character for character in plain if not "\u0300" <= character <= "\u036f")
    first = unicodedata.normalize("NFC", plain).partition(" ")[0]
    return first not in _ASKS and _REACTION.fullmatch(letters) is not None


def is_emoji(text: str) -> bool:
    """Whether there is nothing but emoji, of whatever skin, joined, with flags, and marks that do not ask."""
    rest, pictures = _PICTURE.subn("", text)
    return pictures > 0 and not _AROUND.sub("", rest)
