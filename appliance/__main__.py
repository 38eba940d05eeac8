"""The console script; `python -m appliance` is the same."""

import sys

from appliance.cli import main as command_line


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 not well, 2 wrong usage, 78 configuration."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 must not end a command
    command_line(prog_name="appliance")


if __name__ == "__main__":
    main()
