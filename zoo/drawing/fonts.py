"""Fonts for labels in any script: matplotlib's own first, then what is installed.

matplotlib is imported at the first call, so that `import zoo` does not pay for it.
"""

import unicodedata
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

UNDRAWABLE = "□"


def find_fonts(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Find font families that together draw `texts`; warn if there are none.

    Args:
        texts: What is to be drawn.

    Returns:
        The families, in order of preference, and the texts with a box for each character that no
        installed font has.
    """
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    families = ["DejaVu Sans"]  # comes with matplotlib
    known = FT2Font(font_manager.findfont(families[0])).get_charmap()
    missing = {c for c in "".join(texts) if ord(c) not in known}
    wanted = {c for c in missing if unicodedata.category(c)[0] != "C"}  # not NUL and its like
    installed = font_manager.findSystemFonts() if wanted else []
    for path in sorted(installed, key=_preference):
        if not wanted:
            break
        try:
            font = FT2Font(path)
        except (OSError, RuntimeError):  # a format FreeType cannot draw, such as colour bitmaps
            continue
        known = font.get_charmap()
        found = {c for c in wanted if ord(c) in known}
        if found:
            families.append(_register(path, font))
            wanted -= found
            missing -= found
    if missing:
        shown = " ".join(sorted(c if c.isprintable() else f"U+{ord(c):04X}" for c in missing)[:10])
        warnings.warn(
            f"No installed font can draw: {shown}. A box stands for each. For Chinese, Japanese "
            "and Korean install one, such as Debian's package fonts-noto-cjk.",
            UserWarning,
            stacklevel=3,
        )
    boxed = str.maketrans(dict.fromkeys(missing, UNDRAWABLE))
    return families, [text.translate(boxed) for text in texts]


def _register(path: str, font: "FT2Font") -> str:
    """Make a font known to matplotlib under a name of our own, which means this very file.

    Under its family's name matplotlib might take another of its weights, or log that it lacks one.
    """
    from matplotlib.font_manager import FontEntry, fontManager

    name = f"{font.family_name} ({path})"
    if all(entry.name != name for entry in fontManager.ttflist):
        fontManager.ttflist.append(FontEntry(fname=path, name=name, weight=400))
    return name


def _preference(path: str) -> tuple[bool, bool, str]:
    """A key that puts plain weights first, then fonts made for East Asian text, then names."""
    name = Path(path).name.lower()
    heavy = any(word in name for word in ("bold", "black", "italic", "oblique", "thin", "light"))
    east_asian = any(word in name for word in ("cjk", "wqy", "gothic", "hei", "mincho", "song"))
    return heavy, not east_asian, name
