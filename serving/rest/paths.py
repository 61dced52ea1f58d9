"""What a request line asks for: TensorFlow Serving's two URL patterns, and what is none of them.

Pure functions. The patterns are matched with the whole target, query and fragment included: the API
takes no parameters there.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from zoo.serving.errors import invalid_argument

_API = re.compile(r"/v1/.*", re.IGNORECASE | re.DOTALL)
_VERSION = r"(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_INFERENCE = re.compile(rf"/v1/models/([^/:]+){_VERSION}:(classify|regress|predict)", re.IGNORECASE)
_MODEL = re.compile(rf"/v1/models(?:/([^/:]+))?{_VERSION}(?:/(metadata))?", re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
# RFC 3986: what may stand in a path, and in a query or fragment.
_CHARACTER = r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2}"
_REST = rf"(?:{_CHARACTER}|\?)*"
_URI = re.compile(rf"(?:{_CHARACTER})*(?:\?{_REST})?(?:#{_REST})?")
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Call:
    """A call of the API.

    Attributes:
        method: What is asked for: "classify", "regress", "predict", "status" or "metadata".
        model: The name of the model, decoded.
        version: The version's number; None if the URL has none.
        label: A label, instead of a version.
    """

    method: str
    model: str
    version: int | None
    label: str | None


def local_part(target: str) -> str:
    """The target of a request line without scheme and host, which proxies may send."""
    return _ABSOLUTE.sub("", target, count=1) if _ABSOLUTE.match(target) else target


def is_uri(path: str) -> bool:
    """Whether a path has only the characters that RFC 3986 allows; others must be escaped."""
    return _URI.fullmatch(path) is not None


def is_api(path: str) -> bool:
    """Whether a path belongs to the API; others get a page, not JSON."""
    return _API.fullmatch(path) is not None and is_uri(path)


def parse_call(method: str, path: str) -> Call:
    """Reads the URL of a call.

    Args:
        method: The method of HTTP.
        path: The path with query and fragment, as sent.

    Raises:
        ServingError: INVALID_ARGUMENT if it is no call of the API.

    Example:
        >>> parse_call("POST", "/v1/models/a%20b/versions/007:predict")
        Call(method='predict', model='a b', version=7, label=None)
    """
    match = {"POST": _INFERENCE, "GET": _MODEL}.get(method, re.compile("(?!)")).fullmatch(path)
    if match:
        name, digits, label, verb = match.groups()
        version = _version(digits) if digits else None
        if method == "GET" and not name:
            raise invalid_argument("Missing model name in request.")
        # The pattern takes any case, the comparison behind it does not.
        verb = ("metadata" if verb == "metadata" else "status") if method == "GET" else verb
        if verb in ("status", "metadata", "predict", "classify", "regress"):
            return Call(verb, unquote(name), version, unquote(label) if label else None)
    raise invalid_argument(f"Malformed request: {method} {path}")


def _version(digits: str) -> int:
    significant = digits.lstrip("0")
    if len(significant) > 19 or int(significant or 0) > _INT64_MAX:
        raise invalid_argument(f"Failed to convert version: {digits} to numeric.")
    return int(significant or 0)
