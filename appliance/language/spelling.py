"""How customers type: everyday abbreviations spelled out, and the one slip of a finger that still means the word."""

from collections.abc import Iterable, Mapping
from itertools import zip_longest

from appliance.model import Language

SHORTEST_SWAPPED = 6  # letters from which two swapped ones or a sound-alike are a slip: "serivço", "estacionanento"
SHORTEST_MISSED = 8  # letters from which one too many or too few is: "contato" and "contrato" are two words
MAX_COMPARED = 64  # words of one topic that one unknown word is compared with

_ABBREVIATIONS: dict[Language, str] = {
    "pt-BR": """
        vc voce, vcs voces, cs voces, q que, oq que, hj hoje, amnh amanha, amn amanha, td tudo, tds todos, blz beleza,
        qto quanto, qnto quanto, qt quanto, qta quanta, qts quantos, qd quando, qdo quando, qnd quando, pq porque, tb
        tambem, tbm tambem, ta esta, tao estao, to estou, tava estava, pra para, pras para, pro para, pros para, fds fim
        semana, dom domingo, seg segunda, qua quarta, qui quinta, sex sexta, sab sabado, hr hora, hrs horas, end
        endereco, loc localizacao, tel telefone, cel celular, zap whatsapp, zapzap whatsapp, whats whatsapp, wpp
        whatsapp, wats whatsapp, insta instagram, face facebook, pgto pagamento, pagto pagamento, orc orcamento, qtd
        quantidade, vlr valor, n nao, mt muito, mto muito, dps depois, aki aqui, msm mesmo, kg quilo, kgs quilos, kilo
        quilo, kilos quilos, nf nota fiscal, p para, c com, s sem, qro quero, eh e, neh ne, nd nada, cmg comigo, ces
        voces, ceis voces, pfv por favor, pfvr por favor, prof professor, info informacao, niver aniversario, apto
        apartamento
        """,
    "en": """
        u you, ur your, whats what is, wheres where is, hows how is, whens when is, ppl people, thru through, wknd
        weekend, r are, pls please, plz please, tmrw tomorrow, tmr tomorrow, appt appointment, hrs hours, addr address,
        adress address, addy address, tel telephone, sat saturday, mon monday, tue tuesday, wed wednesday, thu thursday,
        fri friday, tues tuesday, thurs thursday, wks weeks, wk week, yrs years, mins minutes, pic photo, pics photos,
        bday birthday, nite night, tonite tonight, info information
        """,
    "es": """
        q que, k que, pa para, xq porque, pq porque, tmb tambem, tb tambem, x por, uds ustedes, ud usted, dir direccion,
        tel telefono, cel celular, wsp whatsapp, wasap whatsapp, finde fin semana, dom domingo, sab sabado, lun lunes,
        mar martes, mie miercoles, jue jueves, vie viernes, hs horas, info informacion, porfa por favor, cumple
        cumpleanos
        """,
}
_SPELLED: Mapping[Language, Mapping[str, list[str]]] = {
    language: {short: long for short, *long in map(str.split, table.split(","))}
    for language, table in _ABBREVIATIONS.items()
}
_SOUND_ALIKE = frozenset(map(frozenset, ("ei", "ou", "sz", "cs", "cz", "ck", "gj", "mn", "lu", "vb", "xs", "iy")))


def spell_out(words: Iterable[str], language: Language) -> tuple[str, ...]:
    """The folded words with abbreviations replaced: "q hrs abre" is "que horas abre"."""
    return tuple(full for word in words for full in _SPELLED[language].get(word, (word,)))


def is_slip(word: str, other: str) -> bool:
    """Whether the two differ by one slip: two swapped letters, a sound-alike, in long words one letter more or less.

    The first and the last letter must agree: most slips keep them, and most other words do not.
    """
    shorter, longer = sorted((word, other), key=len)
    if len(shorter) < SHORTEST_SWAPPED or (word[0], word[-1]) != (other[0], other[-1]):
        return False
    more = len(longer) - len(shorter)
    if more > 1 or (more == 1 and len(shorter) < SHORTEST_MISSED):
        return False
    at = next((index for index, (a, b) in enumerate(zip_longest(shorter, longer)) if a != b), len(shorter))
    if more == 1:
        return shorter[at:] == longer[at + 1 :]
    if shorter[at + 1 :] == longer[at + 1 :]:
        return frozenset((shorter[at : at + 1], longer[at : at + 1])) in _SOUND_ALIKE
    return shorter[at : at + 2] == longer[at : at + 2][::-1] and shorter[at + 2 :] == longer[at + 2 :]
