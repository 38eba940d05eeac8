"""What all commands share: which configuration is in force, and the options that several of them have."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from appliance.cli.owner import require_readable
from appliance.config import Config, find, load
from appliance.config.sections import NO_FILE

F = TypeVar("F", bound=Callable[..., object])


class Session:
    """One call of the command line. `str()` says which configuration is in force."""

    def __init__(self) -> None:
        self.named: Path | None = None  # by --config

    def __str__(self) -> str:
        return str(self.path or NO_FILE)

    @property
    def path(self) -> Path | None:
        return find(self.named, os.environ)

    def config(self, *, serving: bool = False) -> Config:
        """Raises ConfigurationError with every fault. `serving`: also what only `serve` needs."""
        if self.path is not None:
            require_readable(self.path)
        return load(self.path, os.environ, serving=serving)


def _remember(ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).named = value


def _config_option() -> click.Option:
    return click.Option(
        ["--config"],
        type=click.Path(path_type=Path, readable=False),
        expose_value=False,
        callback=_remember,
        help="The configuration file.",
    )


def _is_text(value: object) -> bool:
    """Bytes that are no UTF-8 arrive as halves of surrogate pairs, which no message and no database can hold."""
    if isinstance(value, tuple):
        return all(map(_is_text, value))
    return not isinstance(value, str) or not any("\ud800" <= character <= "\udfff" for character in value)


class Command(click.Command):
    """`--config` may stand before and after the command's name; what is to be text is text."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), self._config]

    def invoke(self, ctx: click.Context) -> object:
        for parameter in self.get_params(ctx):
            if not _is_text(ctx.params.get(parameter.name or "")):
                raise click.BadParameter("It must be UTF-8 text.", ctx, parameter)
        return super().invoke(ctx)

    _config = _config_option()


class Group(click.Group):
    command_class = Command
    _config = _config_option()

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), self._config]


pass_session = click.make_pass_decorator(Session, ensure=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
account_option = click.option("--account", metavar="NAME", help="The account at Twilio, where there are several.")
org_option = click.option("--org", metavar="NAME", help="The organization, where there are several.")
