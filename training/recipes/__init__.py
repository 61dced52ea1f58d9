"""How each preset was trained: one readable file for each family."""
