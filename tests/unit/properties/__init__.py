"""What must hold for any input, checked by hypothesis on the parsers of text from outside."""
