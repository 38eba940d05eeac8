"""Secrets that are given to a command: never as an argument, which every user of the machine can see."""

import sys

import click

from appliance.errors import ApplianceError


def first_line() -> str:
    """Of standard input. Raises ApplianceError."""
    try:
        line = sys.stdin.readline().rstrip("\r\n")
        line.encode()  # in some locales what is no UTF-8 is found only now
    except UnicodeError:
        raise ApplianceError("The password must be UTF-8 text.") from None
    return line


def asked_for() -> str:
    """Typed twice, unseen."""
    return str(click.prompt("New password", hide_input=True, confirmation_prompt="Once more"))
