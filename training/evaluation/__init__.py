"""One module for each task: what is measured, on what, and what the card says of it."""
