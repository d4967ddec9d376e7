"""The demonstration library: a small personal library that nobody owns, to try the program on.

`write(folder)` makes it from the texts in `sources/`, the world's drawings and its voices, and
writes beside it, as `<folder>.json`, what is in every file and which questions it answers.
"""

from training.demonstration.library import write

__all__ = ["write"]
