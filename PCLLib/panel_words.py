"""The engine's messages in the words of the panels: the engine names its options as the command line does."""

from __future__ import annotations

import re

_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
# Whole phrases first: a panel has other ways for these.
_PHRASES = (
    ("Use more steps, a lower --learning-rate, or another --threshold.", "Use more epochs, or another threshold."),
    ("cancel, and use a lower --learning-rate or another --threshold", "cancel, and use another threshold"),
    ("Lower --learning-rate.", "Use another batch size, or leave out volumes with unusual values."),
    ("or leave out --resume to start anew", "or start anew"),
    ("Give the file that finetune wrote", "Choose the model file of a fine-tuning"),
    ("Give the file that pretrain wrote", "Choose the encoder file of a pretraining"),
    ("Give a plan.json that pretrain wrote", "Choose another plan"),
    (", or leave out --strict to skip it", ""),
    ("; --overwrite replaces it", ""),
    ("use --device cpu", "choose Processor under Compute on"),
    ("Choose --device cpu", "Choose Processor under Compute on"),
    (", or --hold-out none", ", or hold none out"),
    ("say --layout folder when these are other labels", "choose another folder when these are other labels"),
)
_OPTIONS = {"out": "output folder", "leave-one-out": "leave-one-out"}


def panel_words(text: str) -> str:
    """A message of the engine without names of options: ``a larger --batch`` becomes ``a larger batch``."""
    for engine, panel in _PHRASES:
        text = text.replace(engine, panel)
    return _OPTION.sub(lambda option: _OPTIONS.get(option[1], option[1].replace("-", " ")), text)
