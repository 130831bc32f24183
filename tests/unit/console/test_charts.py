"""Charts as geometry."""

from console.views import words
from console.views.charts import BOTTOM, LEFT, RIGHT, TOP, Series, Value, curve_plot, line_plot


def test_an_axis_goes_from_nothing_to_a_round_number_above_the_highest_value() -> None:
    plot = line_plot("title", [Series("a", "first", [Value(3, ""), Value(87, "")])], ["x", "y"], words.number)

    assert [tick.label for tick in plot.rows] == ["0", "25", "50", "75", "100"]
    assert (plot.rows[0].at, plot.rows[-1].at) == (BOTTOM, TOP)


def test_a_line_is_broken_where_there_is_no_value() -> None:
    values = [Value(1, ""), Value(None, ""), Value(1, ""), Value(2, "")]

    (line,) = line_plot("title", [Series("a", "first", values)], list("abcd"), words.number).lines

    assert line.path.count("M") == 2
    assert len(line.dots) == 3


def test_a_curve_fills_what_lies_below_it() -> None:
    (line,) = curve_plot("title", [(0, 1), (10, 3)], words.number, words.number).lines

    assert line.path.startswith(f"M{LEFT}.0 ")
    assert line.area.endswith(f"L{RIGHT}.0 {BOTTOM} L{LEFT}.0 {BOTTOM} Z")


def test_a_chart_without_values_says_so() -> None:
    assert line_plot("Quality", [Series("a", "first", [])], [], words.number).summary == "Quality. a: none yet"
