"""A figure that a notebook shows once, whether or not pyplot is there.

matplotlib is imported with this module: those who draw import it when they do.
"""

import io

from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A figure that pyplot does not know of, as pyplot would show it a second time.

    Without pyplot a notebook knows no way to show a `Figure`, so this one tells its picture itself.
    """

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", bbox_inches="tight")
        return content.getvalue()
