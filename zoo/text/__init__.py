"""Raw strings to ids and back, inside the graph."""

from zoo.text.subwords import SubwordTokenizer

__all__ = ["SubwordTokenizer"]
