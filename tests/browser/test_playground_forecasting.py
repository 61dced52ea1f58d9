"""Series in the playground: typed, out of a file, drawn; and what is refused before it is sent."""

import pytest
import tensorflow as tf

from tests.browser.running import playground

expect = pytest.importorskip("playwright.sync_api").expect

WINDOW = 6
VALUES = tf.TensorSpec([None, WINDOW], tf.float32, name="values")


class Repeater(tf.Module):
    """Says the last number three times; an interval is as wide as its probability."""

    def _next(self, values, interval):
        mean = tf.repeat(values[:, -1:], 3, axis=1)
        return {
            "forecast": mean,
            "lower": mean - interval[:, tf.newaxis],
            "upper": mean + interval[:, tf.newaxis],
        }

    @tf.function(input_signature=[VALUES])
    def best(self, values):
        return self._next(values, tf.fill([tf.shape(values)[0]], 0.9))

    @tf.function(input_signature=[VALUES])
    def bare(self, values):
        return {"forecast": self.best(values)["forecast"]}

    @tf.function(input_signature=[VALUES, tf.TensorSpec([None], tf.float32, name="interval")])
    def interval(self, values, interval):
        return self._next(values, interval)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    model, base = Repeater(), tmp_path_factory.mktemp("models")
    both = {"serving_default": model.best, "interval": model.interval}
    tf.saved_model.save(model, str(base / "measured" / "1"), signatures=both)
    tf.saved_model.save(model, str(base / "bare" / "1"), signatures={"serving_default": model.bare})
    with playground({name: base / name for name in ("measured", "bare")}) as address:
        yield address


def _rows(page):
    table = page.get_by_role("table", name="The next steps")
    expect(table).to_be_visible()
    return table.locator("tbody tr").all_inner_texts()


def _send(page, series):
    page.get_by_label("Series", exact=True).fill(series)
    page.locator("button.main").click()


def test_the_example_is_foretold_at_first_and_drawn(open_page):
    page = open_page("#model=measured")
    assert len(_rows(page)) == 3
    chart = page.get_by_role("img", name="The next 3 steps go from")
    expect(chart).to_be_visible()
    assert chart.locator("path.band").count() == 1
    expect(page.locator(".calls")).to_contain_text('"signature_name": "interval"')


def test_the_last_numbers_count_and_the_interval_is_chosen(open_page):
    page = open_page("#model=measured")
    _rows(page)
    page.get_by_label("Interval", exact=True).select_option("0.5")
    _send(page, "100; 1 2, 3\n4 5 6.5")
    expect(page.get_by_role("table", name="The next steps")).to_contain_text("6 to 7")
    assert _rows(page)[0] == "1\t6.5\t6 to 7"
    again = open_page(page.url.partition("/#")[2] and "#" + page.url.partition("#")[2])
    assert _rows(again)[2] == "3\t6.5\t6 to 7"


def test_a_file_is_read(open_page):
    page = open_page("#model=measured")
    _rows(page)
    lines = "".join(f"2024-0{n},{n}\n" for n in range(1, 8))
    file = {"name": "s.csv", "mimeType": "text/csv", "buffer": f"day,units\n{lines}".encode()}
    page.get_by_label("Or a .csv file").set_input_files(file)
    expect(page.get_by_role("table", name="The next steps")).to_contain_text("6.1 to 7.9")


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ("", "The series is empty"),
        ("1 2 three 4 5 6", "Number 3 of the series, “three”, is none."),
        ("1 2 NaN 4 5 6", "Number 3 of the series, “NaN”, is none."),
        ("1 2 3", "The model looks at 6 numbers. The series has 3."),
    ],
)
def test_what_is_no_series_is_told_before_it_is_sent(open_page, series, message):
    page = open_page("#model=measured")
    _rows(page)
    _send(page, series)
    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.get_by_label("Series", exact=True)).to_be_focused()


def test_a_model_without_intervals_gives_none(open_page):
    page = open_page("#model=bare", width=390)
    assert [row.count("\t") for row in _rows(page)] == [1, 1, 1]
    expect(page.locator(".results")).to_contain_text("gives no intervals")
    assert page.get_by_label("Interval", exact=True).count() == 0
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe().run(page)
    assert axe.violations_count == 0, axe.generate_report()
