"""Power cuts: everything the product writes is recorded, cut anywhere, and opened again by its own recovery."""
