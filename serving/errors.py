"""One error type for the whole server: a canonical status code and a message for the client."""

import re

# Canonical code -> (gRPC and TensorFlow number, HTTP status TF Serving answers with).
CODES = {
    "OK": (0, 200),
    "CANCELLED": (1, 499),
    "UNKNOWN": (2, 500),
    "INVALID_ARGUMENT": (3, 400),
    "DEADLINE_EXCEEDED": (4, 504),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "OUT_OF_RANGE": (11, 400),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "DATA_LOSS": (15, 500),
    "UNAUTHENTICATED": (16, 401),
}
# What stands around the message of a kernel, and what to keep of it; in this order.
_DECORATIONS = [
    (re.compile(pattern, re.DOTALL), kept)
    for pattern, kept in (
        # Python's account of where the graph was built.
        (r"\n\n?(?:Original stack trace|Detected at node).*\Z", ""),
        # One error that several branches of the graph have met.
        (
            r"\A\d+ root error\(s\) found\.\n *\(0\) \w+: (.*?)"
            r"(?:\n *\(1\) |\n\d+ successful operations).*\Z",
            r"\1",
        ),
        # The nodes and functions that the kernel stands in.
        (r"\A(?:\{\{(?:function_)?node [^{}]*\}\} ?)+", ""),
        (r"(?:\n\t ?\[\[[^\n]*\]\])+\Z", ""),
        # The brackets around the only thing that an assertion has to say.
        (r"\Aassertion failed: \[((?:(?!\] \[).)*)\]\Z", r"\1"),
    )
]
_NAMES = {number: name for name, (number, _) in CODES.items()}


class ServingError(Exception):
    """A request, a model or a configuration that cannot be served.

    Args:
        code: One of the names in `CODES`.
        message: A text for the client, without a traceback.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def number(self) -> int:
        """The code as gRPC and `tensorflow.error.Code` number it."""
        return CODES[self.code][0]

    @property
    def http_status(self) -> int:
        """The HTTP status TensorFlow Serving sends for the code."""
        return CODES[self.code][1]

    def __str__(self) -> str:
        """The way TensorFlow prints a status inside another message: `CODE: message`."""
        return f"{self.code}: {self.message}"


def invalid_argument(message: str) -> ServingError:
    """Makes the commonest error: the request is wrong, HTTP 400."""
    return ServingError("INVALID_ARGUMENT", message)


def shape_text(shape: tuple[int, ...]) -> str:
    """Writes a shape as error messages have it, `[2,3]`."""
    return "[" + ",".join(map(str, shape)) + "]"


def from_tensorflow(error: Exception) -> ServingError:
    """Turns what TensorFlow raised while loading or running a model into a `ServingError`.

    A `tf.errors.OpError` keeps its code. Python exceptions come from the loader and its graph
    import; they have no code of their own, so they are UNKNOWN. A message with bytes of the request
    in it may be no text; then TensorFlow raises what decoding it raised, and its code is lost.
    """
    number = getattr(error, "error_code", None)
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    if isinstance(error, UnicodeDecodeError):
        number, message = CODES["INVALID_ARGUMENT"][0], error.object.decode(errors="replace")
    return ServingError(_NAMES.get(number, "UNKNOWN"), _plain(str(message)))


def _plain(message: str) -> str:
    """What a kernel said, without what TensorFlow puts around it."""
    for decoration, kept in _DECORATIONS:
        message = decoration.sub(kept, message)
    return message
