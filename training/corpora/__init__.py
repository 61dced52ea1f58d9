"""The corpora: readers that check what they read, TFDS builders, and the catalogue of all."""
