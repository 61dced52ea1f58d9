"""Public encoders and what they see: weights fetched, features computed once."""
