"""The error of this room."""


class ExportError(RuntimeError):
    """The model cannot be exported as it is; nothing was published.

    Raised for what the model itself does wrong (its signatures, operations or results). Wrong
    arguments raise `TypeError` or `ValueError`, and the file system's own errors stay
    `OSError`.
    """
