"""What an operator or a caller can fix. Bugs keep their own traceback.

The docstring of a class is its default message.
"""


class ApplianceError(Exception):
    """The appliance cannot go on."""

    exit_status = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class ConfigurationError(ApplianceError):
    """The configuration has faults."""

    exit_status = 78

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class AlreadyRunningError(ApplianceError):
    """Another appliance is using this directory."""


class DatabaseError(ApplianceError):
    """The database cannot be used."""


class ForeignError(DatabaseError):
    """The database is another program's, or a newer appliance's: starting again cannot help."""

    exit_status = 78


class CorruptError(DatabaseError):
    """The database is damaged."""


class NothingThereError(DatabaseError):
    """There is no database yet."""


class StorageUnavailableError(ApplianceError):
    """Nothing was stored; later it may work."""


class StorageFullError(StorageUnavailableError):
    """The disk is full; nothing was stored."""


class StorageBusyError(StorageUnavailableError):
    """Another program holds the database; nothing was stored."""


class StorageBrokenError(ApplianceError):
    """The storage failed; whether the last change was stored is not known."""


class RequestError(ApplianceError):
    """A request that cannot be done as asked: shown to the caller as 4xx with code, message and field.

    `values` fill the message's gaps; `words` is the message before that, by which a page finds its translation.
    """

    def __init__(
        self, code: str, message: str, field: str | None = None, status: int = 400, **values: str | int
    ) -> None:
        self.words, self.values = message, values
        self.message = message.format(**values) if values else message
        super().__init__(self.message)
        self.code = code
        self.field = field
        self.status = status
