"""The crash laboratory: what the product promises, tried until it breaks."""
