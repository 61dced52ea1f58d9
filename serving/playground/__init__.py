"""The page at `/` to try the models in."""
