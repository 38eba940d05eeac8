"""A person's rights: what is held about them, whole, and that it goes. The steps in the file are in `store/erasure`."""
