import pytest


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (40, "40 s"), (89, "89 s"), (90, "2 min"), (720, "12 min"), (5900, "98 min"), (6000, "1 h 40 min"),
     (7200, "2 h"), (12100, "3 h 20 min")],
)  # fmt: skip
def test_durations_are_rounded_to_what_matters(seconds, said):
    from PCLLib.words import duration

    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 MB"), (80 * 2**20, "80 MB"), (1.2 * 2**30, "1.2 GB"), (24 * 2**30, "24 GB")]
)
def test_sizes_are_said_in_the_unit_that_people_use(count, said):
    from PCLLib.words import size

    assert size(count) == said


def test_one_is_not_many():
    from PCLLib.words import counted

    assert [counted(n, "{n} volume", "{n} volumes") for n in (0, 1, 2)] == ["0 volumes", "1 volume", "2 volumes"]
