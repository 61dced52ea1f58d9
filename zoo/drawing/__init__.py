"""Answers for people: pages, figures and coloured text of what a model found in its inputs.

- `answers`: what `zoo run` shows of a model's answers, and which file it draws.
- `painting`: a text with its words or entities painted, as a web page or in a terminal.
- `plotting`: the attention table as a figure, and how any figure comes into a file.
- `word_figure`: a text with painted words as a figure.
- `scores`: what a classifier confuses and how well it finds each class, as a figure.
- `labels`: what a word looks like in a drawing, whoever draws it.
- `fonts`: fonts that have the characters of a text, in any script.

Only `answers` runs a model, and matplotlib is imported only when a figure is drawn.
"""
