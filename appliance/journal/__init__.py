"""What is told of the work that is done: in the log, each trouble once while it lasts, and in figures."""
