"""IMDB in small: the folder of its archive, with made-up reviews."""

# 40 labelled reviews a side; three texts stand twice.
TEXTS = {
    (side, name): [f"{side} film {i % 19}, {name}.<br />Great é" for i in range(20)]
    for side in ("train", "test")
    for name in ("neg", "pos")
} | {("train", "unsup"): [f"no label {i}" for i in range(7)]}


def write_folder(root):
    for (side, name), texts in TEXTS.items():
        folder = root / "aclImdb" / side / name
        folder.mkdir(parents=True)
        for i, text in enumerate(texts):
            (folder / f"{i}_1.txt").write_text(text + "\n", encoding="utf-8")
    (root / "aclImdb" / "train" / "urls_neg.txt").write_text("not a review")
    return root
