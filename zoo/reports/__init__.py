"""How good a model is on data of one's own: what `model.evaluate_report` measures and shows.

- `measuring`: the rows through the model's verb, and which counting is for which model.
- `classification`, `tagging`, `writing`, `language_modelling`: a report of each kind. The counting
  is scikit-learn's, seqeval's and sacreBLEU's, which are imported when something is counted.
- `base`: what all reports share: plain values, shown as text, HTML and Markdown.
- `tables`: tables of plain values in these three forms.
"""
