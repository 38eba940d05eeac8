"""What a person may ask for: everything held about them, and that it goes."""
