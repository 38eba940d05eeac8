"""What is told of the work: lines and figures."""
