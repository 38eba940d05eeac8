"""The owner's pages, made on the server; each reads and works without JavaScript."""
