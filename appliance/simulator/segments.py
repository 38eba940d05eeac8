"""How many SMS segments a text is (Twilio docs, "Messaging character limits")."""

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENDED = frozenset("^{}\\[]~|€\f")


def segments(text: str) -> int:
    """At least 1. One character outside GSM-7 turns the whole text to UCS-2."""
    if all(character in GSM_7 or character in GSM_7_EXTENDED for character in text):
        length = sum(2 if character in GSM_7_EXTENDED else 1 for character in text)
        single, joined = 160, 153
    else:
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2
        single, joined = 70, 67
    return 1 if length <= single else -(-length // joined)
