"""SavedModels whose answers are easy to foresee: with the signatures of the zoo's, and others."""

from pathlib import Path

import tensorflow as tf

from zoo.text.words import WordTokenizer

_TEXT = [tf.TensorSpec([None], tf.string, name="text")]


class Shouter(tf.Module):
    """Translates into capitals; each word looks at its origin, and a little at all others."""

    @tf.function(input_signature=_TEXT)
    def best(self, text):
        return {name: self.attend(text)[name] for name in ("translation", "score")}

    @tf.function(input_signature=_TEXT)
    def beam(self, text):
        upper = tf.strings.upper(text, "utf-8")
        scores = tf.tile([[-0.125, -1.5]], [tf.size(text), 1])
        return {"translations": tf.stack([upper, text], axis=1), "scores": scores}

    @tf.function(input_signature=_TEXT)
    def attend(self, text):
        words = tf.strings.split(text)
        longest = tf.reduce_max(words.row_lengths())
        check = tf.debugging.Assert(longest <= 20, ["`text` must have at most 20 words."])
        with tf.control_dependencies([check]):
            ends = tf.fill([tf.size(text), 1], "</s>")
        source = tf.concat([tf.strings.join(["▁", words.to_tensor("")]), ends], axis=1)
        size = tf.shape(source)[1]
        weights = 0.8 * tf.eye(size) + 0.2 / tf.cast(size, tf.float32)
        lengths = tf.fill([tf.size(text)], size)
        return {
            "translation": tf.strings.upper(text, "utf-8"),
            "score": tf.fill([tf.size(text)], -0.125),
            "source_tokens": source,
            "target_tokens": tf.concat([tf.strings.upper(source[:, :-1], "utf-8"), ends], axis=1),
            "attention": tf.tile(weights[tf.newaxis], [tf.size(text), 1, 1]),
            "source_lengths": lengths,
            "target_lengths": lengths,
        }


class Mood(tf.Module):
    """Finds texts with the word "good" positive; a word weighs by its letters."""

    def __init__(self):
        super().__init__()
        self.words = WordTokenizer()

    @tf.function(input_signature=_TEXT)
    def classify(self, text):
        good = tf.strings.regex_full_match(text, r"(?s).*\bgood\b.*")
        positive = tf.where(good, 0.9, 0.2)
        return {
            "label": tf.where(good, "positive", "negative"),
            "score": tf.maximum(positive, 1 - positive),
            "probabilities": tf.stack([1 - positive, positive], axis=1),
            "labels": tf.tile([["negative", "positive"]], [tf.size(text), 1]),
        }

    @tf.function(input_signature=_TEXT)
    def attend(self, text):
        words = self.words.tokenize(text)
        letters = tf.cast(tf.strings.length(words.tokens, unit="UTF8_CHAR"), tf.float32)
        weights = letters / tf.reduce_sum(letters, axis=1, keepdims=True)
        return {
            **self.classify(text),
            "tokens": words.tokens.to_tensor(""),
            "starts": words.starts.to_tensor(0),
            "ends": words.ends.to_tensor(0),
            "weights": weights.to_tensor(0.0),
            "lengths": tf.cast(words.tokens.row_lengths(), tf.int32),
        }


class Remarks(tf.Module):
    """Gives a text each label that stands in it, and a doubtful one below its threshold."""

    @tf.function(input_signature=_TEXT)
    def classify(self, text):
        labels = ["cheap", "slow", "noisy"]
        found = [tf.strings.regex_full_match(text, f"(?s).*{label}.*") for label in labels]
        sure = tf.constant([0.9, 0.8, 0.7])
        probabilities = tf.where(tf.stack(found, axis=1), sure, 0.3)
        thresholds = tf.tile([[0.5, 0.25, 0.75]], [tf.size(text), 1])
        return {
            "chosen": probabilities >= thresholds,
            "probabilities": probabilities,
            "labels": tf.tile([labels], [tf.size(text), 1]),
            "thresholds": thresholds,
        }


class Capitals(tf.Module):
    """Takes every word with a capital for a name: a place if it ends in "n", else a person."""

    def __init__(self):
        super().__init__()
        self.words = WordTokenizer()

    @tf.function(input_signature=_TEXT)
    def tag(self, text):
        words = self.words.tokenize(text)
        lengths = tf.cast(words.tokens.row_lengths(), tf.int32)
        return {"tokens": words.tokens.to_tensor(""), "lengths": lengths}

    @tf.function(input_signature=_TEXT)
    def entities(self, text):
        words = self.words.tokenize(text)

        def matches(pattern):
            flat = tf.strings.regex_full_match(words.tokens.flat_values, pattern)
            return words.tokens.with_flat_values(flat)

        names = matches(r"\p{Lu}.*")
        place = tf.ragged.boolean_mask(matches(".*n"), names)
        types = tf.where(place.flat_values, "LOC", "PER")
        return {
            "entities": tf.ragged.boolean_mask(words.tokens, names).to_tensor(""),
            "types": place.with_flat_values(types).to_tensor(""),
            "starts": tf.ragged.boolean_mask(words.starts, names).to_tensor(0),
            "ends": tf.ragged.boolean_mask(words.ends, names).to_tensor(0),
            "scores": place.with_flat_values(tf.fill([tf.size(types)], 0.875)).to_tensor(0.0),
            "counts": tf.cast(place.row_lengths(), tf.int32),
        }


class Repeat(tf.Module):
    """Inputs of several dtypes and ranks; a second signature takes a tensor of any rank."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2, None], tf.float32, name="steps"),
            tf.TensorSpec([None], tf.string, name="name"),
            tf.TensorSpec([None], tf.int64, name="id"),
        ]
    )
    def several(self, steps, name, id):
        return {"sum": tf.reduce_sum(steps, axis=[1, 2]), "name": name + "!", "id": id + 1}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def half(self, x):
        return {"y": x / 2}


class Dates(tf.Module):
    """A task that the zoo does not have, in a signature whose names nobody knows beforehand."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="day")])
    def convert(self, day):
        parts = tf.strings.split(day, ".").to_tensor("", shape=[None, 3])
        return {
            "iso": tf.strings.reduce_join(parts[:, ::-1], axis=1, separator="-"),
            "certain": tf.strings.regex_full_match(day, r"\d+\.\d+\.\d+"),
            "parts": parts,
            "lengths": tf.strings.length(parts),
        }


class Haiku(tf.Module):
    """Has the names of a translator's signature, but answers with three lines for each text."""

    @tf.function(input_signature=_TEXT)
    def write(self, text):
        lines = tf.stack([text, tf.strings.upper(text), text], axis=1)
        return {"translation": lines, "score": tf.zeros([tf.size(text)])}


def save_all(root: Path) -> dict[str, Path]:
    """Saves a version 1 of each below `root`; returns the base paths by name."""
    shouter, mood, capitals, repeat = Shouter(), Mood(), Capitals(), Repeat()
    dates, haiku, remarks = Dates(), Haiku(), Remarks()
    models = {
        "shouter": (
            shouter,
            {
                "serving_default": shouter.best,
                "beam": shouter.beam,
                "attention": shouter.attend,
            },
        ),
        "plain": (shouter, {"serving_default": shouter.best}),
        "mood": (mood, {"serving_default": mood.classify, "attention": mood.attend}),
        "capitals": (capitals, {"serving_default": capitals.tag, "entities": capitals.entities}),
        "repeat": (repeat, {"serving_default": repeat.several, "half": repeat.half}),
        "dates": (dates, {"serving_default": dates.convert}),
        "haiku": (haiku, {"serving_default": haiku.write}),
        "remarks": (remarks, {"serving_default": remarks.classify}),
    }
    for name, (module, signatures) in models.items():
        tf.saved_model.save(module, str(root / name / "1"), signatures=signatures)
    return {name: root / name for name in models}
