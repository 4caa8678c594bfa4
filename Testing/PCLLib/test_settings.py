from pathlib import Path

from pcl_core.arguments import METHODS as ENGINES
from pcl_core.arguments import POSITION_RULES, WEIGHTINGS, make_parser


def settings(**values):
    from PCLLib.settings import PretrainSettings

    return PretrainSettings(Path("volumes"), Path("out"), **values)


def parsed(**values):
    return make_parser().parse_args(["pretrain", "volumes", "--out", "out", *settings(**values).plan_words()])


def test_what_is_not_set_is_left_to_the_plan():
    args = parsed()
    assert (args.threshold, args.resolution, args.epochs, args.batch, args.axis) == (None,) * 5
    assert (args.method, args.preset, args.device) == ("pcl", "recommended", "auto")
    assert (args.position, args.weighting) == (None, None)


def test_the_engine_understands_all_that_can_be_set():
    args = parsed(
        method="moco-pcl", preset="paper", axis="axial", threshold=0.35, resolution=1.25, epochs=7, batch=16, device="cpu"
    )
    assert (args.method, args.preset, args.axis, args.device) == ("moco-pcl", "paper", "axial", "cpu")
    assert (args.threshold, args.resolution, args.epochs, args.batch) == (0.35, 1.25, 7, 16)
    args = parsed(position="learned", weighting="soft", threshold=0.2)
    assert (args.position, args.weighting, args.threshold) == ("learned", "soft", 0.2)


def test_large_numbers_stay_whole_numbers():
    assert parsed(epochs=1234567).epochs == 1234567


def test_the_engine_has_all_methods_that_the_panel_offers():
    from PCLLib.parameters import Method

    assert {method.value for method in Method} <= set(ENGINES)
    assert all(method.label() for method in Method)


def test_the_engine_has_all_positions_and_weightings_that_the_panel_offers():
    from PCLLib.parameters import Position, Weighting

    assert [position.value for position in Position] == list(POSITION_RULES)
    assert [weighting.value for weighting in Weighting] == list(WEIGHTINGS)
    assert all(one.label() for one in (*Position, *Weighting))
