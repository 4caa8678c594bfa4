"""The commands and their options, as argparse knows them. Nothing heavy is imported, so that ``--help`` comes at once."""

from __future__ import annotations

import argparse
import typing
from pathlib import Path
from typing import NoReturn

from pcl_core import __version__
from pcl_core.errors import InputError
from pcl_core.plan import PositionRule, Weighting
from pcl_core.presets import PRESETS
from pcl_core.pretext.registry import NAMES as METHODS
from pcl_core.volumes.axes import AXES

# The rules behind these import NumPy; a test compares them.
LAYOUTS = ("auto", "acdc", "chd", "folder", "hvsmr", "mmwhs", "msd", "nnunet")
POSITION_RULES = typing.get_args(PositionRule)
WEIGHTINGS = typing.get_args(Weighting)
_INPUT = "a volume, a folder with a DICOM series, or a folder of either"


class _Parser(argparse.ArgumentParser):
    """Raises InputError in place of leaving, so that a wrong call is an event like any other."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}.", f"{self.prog} --help lists the options.")


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="pclseg", description="Segment CT and MR volumes with few annotations.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for add in (
        _scan,
        _pretrain,
        _finetune,
        _segment,
        _evaluate,
        _experiment,
        _positions,
        _suggest,
        _worker,
        _devices,
        _bench,
        _demo,
    ):
        add(commands)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add(commands: _Commands[_Parser], name: str, words: str) -> _Parser:
    parser = commands.add_parser(name, help=words, description=words, allow_abbrev=False)
    parser.add_argument("--events", action="store_true", help="report as JSON lines on standard output")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    parser.add_argument(
        "--cancel-with-stdin",
        action="store_true",
        help="cancel when standard input is closed, or when the line 'cancel' comes in",
    )
    return parser


def _add_input(parser: _Parser) -> None:
    parser.add_argument("--layout", choices=LAYOUTS, default="auto", help="how the data set names its files")
    parser.add_argument("--strict", action="store_true", help="a volume that cannot be used is an error, not a warning")


def _add_inputs(parser: _Parser) -> None:
    parser.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help=f"{_INPUT}; several are taken together")
    _add_input(parser)


def _add_choice(parser: _Parser) -> None:
    parser.add_argument(
        "--exclude",
        nargs="+",
        default=[],
        metavar="NAME",
        help="volumes to leave out: ids, patients or paths, as scan lists them",
    )
    parser.add_argument(
        "--exclude-from", type=Path, metavar="FILE", help="a text file that names volumes to leave out, one a line"
    )
    parser.add_argument(
        "--flip",
        nargs="+",
        default=[],
        metavar="NAME",
        help="volumes whose slices run the other way: their positions are counted from the other end",
    )
    parser.add_argument("--flip-from", type=Path, metavar="FILE", help="a text file that names volumes to flip, one a line")


def _add_plan(parser: _Parser) -> None:
    group = parser.add_argument_group("plan", "decided from the data; each decision can be set")
    group.add_argument("--preset", choices=PRESETS, help="rules that make the plan (default recommended)")
    group.add_argument("--plan", type=Path, metavar="FILE", help="take the plan from a plan.json")
    group.add_argument("--axis", choices=AXES, help="slice axis (default: the through-plane axis)")
    group.add_argument("--resolution", type=_positive, metavar="MM", help="in-plane pixel")
    group.add_argument("--size", type=_multiple_of_16, metavar="PIXELS", help="side of the padded slices, a multiple of 16")
    group.add_argument("--filters", type=_whole, metavar="F", help="channels of the first level")
    group.add_argument("--batch", type=_whole, metavar="N", help="slices a step")
    group.add_argument("--learning-rate", type=_positive, metavar="RATE", help="peak of the cosine schedule")
    budget = group.add_mutually_exclusive_group()
    budget.add_argument("--epochs", type=_whole, metavar="N", help="passes over all slices")
    budget.add_argument("--steps", type=_whole, metavar="N", help="steps")
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")


def _scan(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "scan", "Report what is in a folder of volumes, from the headers.")
    parser.add_argument("input", type=Path, metavar="INPUT", help=_INPUT)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report")
    parser.add_argument("--axis", choices=AXES, default="auto", help="slice axis (default: the through-plane axis)")
    parser.add_argument("--voxels", action="store_true", help="read all voxels too, to find NaN and constant volumes")
    _add_input(parser)


def _pretrain(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "pretrain", "Pretrain an encoder on unlabeled volumes.")
    parser.add_argument("input", type=Path, metavar="INPUT", help=_INPUT)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for all results")
    parser.add_argument("--method", choices=METHODS, help="objective (default pcl)")
    parser.add_argument(
        "--threshold",
        type=_threshold,
        metavar="T",
        help="position difference below which slices are positives; or 'soft': Gaussian weights of the difference",
    )
    parser.add_argument(
        "--weighting",
        choices=WEIGHTINGS,
        help="hard (default): positives lie within the threshold; soft: as --threshold soft, with the threshold's number",
    )
    parser.add_argument(
        "--position", choices=POSITION_RULES, help="relative (default), millimetre, or learned: see Docs/positions.md"
    )
    parser.add_argument("--temperature", type=_positive, metavar="TAU", help="of the contrastive loss (default 0.1)")
    _add_choice(parser)
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="time some steps on some of the volumes, tell what it will take, and write nothing",
    )
    _add_input(parser)
    _add_plan(parser)


def _finetune(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "finetune", "Train a U-Net on a few annotated cases.")
    parser.add_argument("images", type=Path, metavar="IMAGES", help=_INPUT)
    parser.add_argument(
        "labels", type=Path, metavar="LABELS", help="label maps, named after their images; may be the same folder"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for all results")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--encoder", type=Path, metavar="FILE", help="start from a pretrained encoder, and its plan")
    begin.add_argument("--model", type=Path, metavar="FILE", help="go on from a model, with its plan and classes")
    parser.add_argument("--cases", nargs="+", metavar="ID", help="cases or patients to use (default: all with labels)")
    parser.add_argument(
        "--patients", type=Path, metavar="FILE", help="JSON: the patient of each case whose name does not tell, by its id"
    )
    parser.add_argument("--hold-out", default="auto", metavar="ID", help="case to hold out: auto, none, or an id")
    parser.add_argument(
        "--leave-one-out", action="store_true", help="also train without each patient in turn, to tell Dice on every case"
    )
    parser.add_argument(
        "--class-list",
        type=Path,
        metavar="FILE",
        help="JSON: a list of classes, each with value, name, color (red, green, blue, 0 to 1) and terminology",
    )
    parser.add_argument("--classes", nargs="+", type=_label_value, metavar="VALUE", help="label values that may occur")
    parser.add_argument(
        "--annotated-slices",
        type=Path,
        metavar="FILE",
        help="JSON: for partly annotated cases, the numbers of their annotated slices, from 0 in order of position",
    )
    parser.add_argument("--estimate", action="store_true", help="time some steps, tell what it will take, and write nothing")
    _add_input(parser)
    _add_plan(parser)


def _segment(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "segment", "Label volumes on their own grid with a model.")
    parser.add_argument("model", type=Path, metavar="MODEL", help="model.safetensors that finetune wrote")
    parser.add_argument("input", type=Path, metavar="INPUT", help=_INPUT)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for all results")
    parser.add_argument("--probabilities", action="store_true", help="also write a volume of 0 to 255 a class")
    parser.add_argument("--confidence", action="store_true", help="also write the probability of the label, in percent")
    parser.add_argument("--tta", action="store_true", help="average over five looks at each slice")
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="note what is done, and leave out what the log says this model has done"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace label files that are there, also those that somebody made or changed"
    )
    _add_input(parser)


def _evaluate(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "evaluate", "Dice, HD95 and ASSD of predictions, a class and a case.")
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS", help="label volumes, or one")
    parser.add_argument("truth", type=Path, metavar="TRUTH", help="label volumes of the same names and grids, or one")
    parser.add_argument("--layout", choices=LAYOUTS, default="auto", help="how the data set names its truths")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--strict", action="store_true", help="a case that cannot be compared is an error, not a warning")


def _experiment(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "experiment", "Compare initialisations: methods x annotated patients x folds x seeds.")
    parser.add_argument("config", type=Path, metavar="CONFIG.json", help="what to compare on which data; seeds stand there too")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for all results")
    parser.add_argument("--resume", action="store_true", help="go on with the experiment in --out; more cells may be asked for")
    parser.add_argument(
        "--lanes", type=_whole, metavar="N", help="cells done side by side, each in a process (default: one a GPU, or one)"
    )


def _positions(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "positions", "See whether slices at the same position are alike, and which volumes are not.")
    parser.add_argument("--encoder", type=Path, metavar="FILE", help="compare by a pretrained encoder, not by plain features")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write positions, neighbours and outliers of every slice")
    parser.add_argument("--pictures", type=Path, metavar="FILE", help="write small pictures of all slices (.npy; see --json)")
    parser.add_argument("--axis", choices=AXES, default="auto", help="slice axis (default: the through-plane axis)")
    _add_choice(parser)
    _add_inputs(parser)


def _suggest(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "suggest", "Which case to annotate next, and which few slices of it.")
    parser.add_argument(
        "--drawn", type=Path, metavar="FILE", help="JSON: numbers of the slices that are drawn, by case or path"
    )
    parser.add_argument("--encoder", type=Path, metavar="FILE", help="compare by a pretrained encoder, not by plain features")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a first model, whose uncertainty counts too")
    parser.add_argument("--cases", type=_whole, default=5, metavar="N", help="cases to suggest (default 5)")
    parser.add_argument("--slices", type=_whole, default=5, metavar="N", help="slices of each (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the suggestions")
    parser.add_argument("--axis", choices=AXES, default="auto", help="slice axis (default: the through-plane axis)")
    _add_inputs(parser)


def _worker(commands: _Commands[_Parser]) -> None:
    _add(commands, "worker", "Keep a model warm: one JSON request a line on standard input, events on standard output.")


def _devices(commands: _Commands[_Parser]) -> None:
    _add(commands, "devices", "Which GPUs there are, which device will be used, and why.")


def _bench(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "bench", "Time every stage on this machine, beside its floor and the plain way of doing it.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    usual = "(default: {} on a CPU, {} on a GPU)"
    parser.add_argument("--size", type=_multiple_of_16, metavar="PIXELS", help=f"side of the slices {usual.format(64, 256)}")
    parser.add_argument("--filters", type=_whole, metavar="F", help=f"channels of the first level {usual.format(16, 32)}")
    parser.add_argument("--batch", type=_at_least_two, metavar="N", help="slices a step (default 32)")


def _demo(commands: _Commands[_Parser]) -> None:
    parser = _add(commands, "demo", "The whole of it on generated volumes, or on a folder with imagesTr and labelsTr.")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), metavar="DIR", help="folder (default demo-output)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder with imagesTr and labelsTr")


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _threshold(text: str) -> float | str:
    return text if text == "soft" else _positive(text)


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return value


def _at_least_two(text: str) -> int:
    value = _whole(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"{text} is too few: slices learn from each other")
    return value


def _label_value(text: str) -> int:
    from pcl_core.volumes.data_sets import can_be_class  # noqa: PLC0415 (imports NumPy, which --help does without)

    value = int(text)
    if not can_be_class(value):
        raise argparse.ArgumentTypeError(f"{text} is not a label value from 1 to 254")
    return value


def _multiple_of_16(text: str) -> int:
    value = _whole(text)
    if value % 16:
        raise argparse.ArgumentTypeError(f"{text} is not a multiple of 16")
    return value


_COMMANDS = (
    _scan, _pretrain, _finetune, _segment, _evaluate, _experiment, _positions, _suggest, _worker, _devices, _bench, _demo,
)  # fmt: skip
