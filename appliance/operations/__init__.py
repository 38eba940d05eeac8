"""What an operator can see and do. The page, the JSON API and the command line are renderings of it."""
