"""One module for each kind of work: a job goes in, an Outcome comes out."""
