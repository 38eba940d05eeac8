"""Telephone numbers and names as people write them."""

import re
import unicodedata

from appliance.operations.threads import number_in

_FORMS = (
    (re.compile(r"\+55([1-9][0-9])([0-9]{4,5})([0-9]{4})"), r"+55 \1 \2-\3"),
    (re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})"), r"+1 \1 \2-\3"),
)

_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # turns the words around it
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # count as visible, and are not


def name_in(given: str) -> str:
    """What somebody calls themselves, as it can stand in a sentence; empty where nothing of it is to be seen."""
    line = " ".join(_TURNING.sub("", given).split())
    is_seen = any(unicodedata.category(each)[0] in "LNPS" and each not in _BLANK for each in line)
    return line if is_seen else ""


def written(address: str) -> str:
    """A number in its country's groups; any other address as it is, without its channel's prefix."""
    number = number_in(address)
    for pattern, groups in _FORMS:
        if pattern.fullmatch(number):
            return pattern.sub(groups, number)
    return number or address.rpartition(":")[2]


def initials(name: str) -> str:
    """Of the first two words that begin with a letter; empty where there is none."""
    return "".join([word[0].upper() for word in name.split() if word[0].isalpha()][:2])
