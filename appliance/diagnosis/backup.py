"""The newest copy of the database: is it there, does it open, how old is it? It is only read."""

from pathlib import Path

from appliance.diagnosis.finding import Finding, Kind, found
from appliance.errors import DatabaseError
from appliance.model import HOUR
from appliance.store import backup

TOO_OLD = 2 * backup.EVERY


def of_backups(directory: Path, now: int) -> Finding:
    """`now`: ms UTC. Blocking: reads the whole copy."""
    copies = [copy for copy in backup.copies(directory, now) if copy.goes_at is not None]
    if not copies:
        return found(Kind.BACKUP_NONE)
    newest = copies[0]
    try:
        backup.verify(Path(newest.file))
    except DatabaseError as error:
        return found(Kind.BACKUP_BROKEN, reason=str(error))
    age, name = max(now - newest.taken_at, 0), Path(newest.file).name
    if age > TOO_OLD:
        return found(Kind.BACKUP_OLD, file=name, days=age // backup.EVERY)
    return found(Kind.BACKUP, file=name, hours=age // HOUR)
