"""The owner's pages as a browser meets them."""
