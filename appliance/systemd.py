"""Tells systemd how the service does: one datagram to $NOTIFY_SOCKET (sd_notify(3))."""

import os
import socket


def notify(state: str) -> None:
    """Send a state such as READY=1; nothing happens where systemd did not ask."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        connection.connect(address)
        connection.sendall(state.encode())


def watchdog_period() -> float | None:
    """Seconds between two signs of life that systemd wants from this process, or None."""
    period, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not period.isdigit() or (process and process != str(os.getpid())):
        return None
    return int(period) / 1_000_000 / 3
