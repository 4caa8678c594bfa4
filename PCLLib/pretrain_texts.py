"""What PCLPretrain asks and tells, in words."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from PCLLib.damaged_packages import damaged
from PCLLib.events import Failed
from PCLLib.messages import Action, Message, Tone
from PCLLib.output_folder import Interrupted
from PCLLib.questions import Choice, Question


def scan_cancelled() -> Message:
    """The look at the folder was cancelled."""
    return Message(_("The look at the folder was cancelled."), _("Press Look again to look at it."))


def no_folder(folder: Path) -> Message:
    """The path does not exist."""
    return Message(_("There is no folder {folder}.").format(folder=folder), _("Choose another one."), Tone.ERROR)


def nothing_usable(actions: tuple[Action, ...]) -> Message:
    """Every file of the folder is bad."""
    return Message(
        _("No volume in this folder can be used."),
        _("The table says why for each file. Repair them, or choose another folder."),
        Tone.ERROR,
        actions,
    )


def packages_missing(install: Action) -> Message:
    """Packages were declined, or a scene was opened that nobody could be asked about."""
    return Message(
        _("The volumes can be looked at, but not learned from: Python packages are missing."),
        _("Install them whenever you like."),
        Tone.WARNING,
        (install,),
    )


def stopped(found: Interrupted | None) -> Message:
    """A training was cancelled."""
    if found is None:
        return Message(_("Cancelled before the first step; nothing was kept."), _("Start again whenever you like."))
    text = _("Cancelled. Step {step} of {total} is kept in the output folder.").format(step=found.step, total=found.total)
    return Message(text, _("Press Resume to go on from there."))


def nothing_learned() -> Message:
    """A training ended, and the encoder is of no use."""
    text = _("The encoder tells no slice from another: it has learned nothing, and will not help a fine-tuning.")
    hint = _("Train with more epochs, or another threshold; look at the slices at the same position in the inspector.")
    return Message(text, hint, Tone.WARNING)


def can_be_resumed(found: Interrupted) -> Message:
    """The output folder holds a run that stopped."""
    return Message(_stopped_at(found), _("Press Resume to go on from there, with the settings it was started with."))


def volumes_elsewhere(found: Interrupted, open_them: Action) -> Message:
    """The output folder holds a run that stopped, and no volumes are open."""
    return Message(_stopped_at(found), _("Its volumes are in {folder}.").format(folder=found.folder), Tone.NOTE, (open_them,))


def nothing_to_resume() -> Message:
    """The run that was to be resumed is not there any more."""
    return Message(_("There is nothing to resume in the output folder."), _("Start the pretraining anew."), Tone.WARNING)


def not_writable(folder: Path, reason: str) -> Message:
    """The output folder cannot be written."""
    text = _("Nothing can be written to {folder}: {reason}.").format(folder=folder, reason=reason)
    return Message(text, _("Choose an output folder that you may write to."), Tone.ERROR)


def failed(last: Failed, actions: tuple[Action, ...]) -> Message:
    """What the engine says of its failure; what it says of its options is said of the panel's settings."""
    if last.kind == "packages" and not actions:  # there is nothing to install
        last = damaged(last)
    hint = last.hint
    if last.kind == "memory":
        hint = _("Close other programs, choose a smaller batch or a larger resolution, or leave volumes out.")
    return Message(last.message, hint, Tone.ERROR, actions)


def smaller_setting(last: Failed) -> str:
    """The text of the button that starts again with less."""
    names = {"batch": _("a batch of {value:g}"), "size": _("slices of {value:g} pixels"), "filters": _("{value:g} filters")}
    said = ", ".join(names.get(name, name + " {value:g}").format(value=value) for name, value in last.smaller.items())
    return _("Start again with {smaller}").format(smaller=said)


def about_stopped_run(found: Interrupted) -> Question:
    """Asked before a run that stopped is lost."""
    text = _("{stopped}\n\nResume it with the settings it was started with, or start anew and lose it?")
    choices = (Choice("resume", _("Resume")), Choice("anew", _("Start anew")), Choice("no", _("Cancel")))
    return Question(_("A stopped pretraining is there"), text.format(stopped=_stopped_at(found)), choices)


def about_replacing(encoder: Path) -> Question:
    """Asked before a finished encoder is lost."""
    text = _("There is an encoder in the output folder already:\n{path}\n\nReplace it?").format(path=encoder)
    return Question(_("Replace the encoder?"), text, (Choice("replace", _("Replace")), Choice("no", _("Cancel"))))


def _stopped_at(found: Interrupted) -> str:
    return _("A pretraining in the output folder stopped at step {step} of {total}.").format(step=found.step, total=found.total)
