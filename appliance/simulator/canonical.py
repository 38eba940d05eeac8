"""Other forms of the same address. Some countries' mobile numbers have a digit that not every network writes."""

import re

# Brazil's ninth digit, Argentina's 9, Mexico's 1; with or without the channel in front.
WITH = re.compile(r"((?:\w+:)?)(?:(\+55[1-9]\d)9(\d{8})|(\+54)9(\d{10})|(\+52)1(\d{10}))")
WITHOUT = re.compile(r"((?:\w+:)?)(?:(\+55[1-9]\d)([016-9]\d{7})|(\+54)(\d{10})|(\+52)(\d{10}))")
DIGITS = {"+55": "9", "+54": "9", "+52": "1"}


def unchanged(address: str) -> str:
    return address


def without_ninth_digit(address: str) -> str:
    """`+5511987654321` → `+551187654321`, `+5491123456789` → `+541123456789`, `+5215512345678` → `+525512345678`."""
    return "".join(part or "" for part in found.groups()) if (found := WITH.fullmatch(address)) else address


def with_ninth_digit(address: str) -> str:
    """The way back; a Brazilian landline has none."""
    found = WITHOUT.fullmatch(address)
    if found is None:
        return address
    channel, country, number = (part for part in found.groups() if part is not None)
    return f"{channel}{country}{DIGITS[country[:3]]}{number}"
