"""The real process on a box that fails: killed at any system call, short of disk, files or time."""
