"""Values that everything else is made of: names, errors, secrets, sizes."""
