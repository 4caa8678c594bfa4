"""What PCLSegmentation asks and tells, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slicer.i18n import tr as _

from PCLLib import words
from PCLLib.damaged_packages import damaged
from PCLLib.events import Failed
from PCLLib.export import Exported
from PCLLib.messages import Action, Message, Tone
from PCLLib.questions import Choice, Question
from PCLLib.segment_classes import SegmentClass
from PCLLib.segment_roles import Role


def imported_unknown(names: Sequence[str], classes: Sequence[SegmentClass]) -> Message:
    """Labels were taken over whose names are no classes."""
    known = ", ".join(entry.name for entry in classes)
    return Message(
        _("The labels are there, but {names} will not be learned: the classes are {known}.").format(
            names=words.listed(names), known=known
        ),
        _("Rename the segments in the Segment Editor as the classes are called."),
        Tone.WARNING,
    )


def failed(last: Failed, actions: tuple[Action, ...] = ()) -> Message:
    """What the engine says of its failure."""
    if last.kind == "packages" and not actions:  # there is nothing to install
        last = damaged(last)
    if last.kind == "killed":
        last = replace(last, hint=_after_a_kill())
    return Message(last.message, last.hint, Tone.ERROR, actions)


def _after_a_kill() -> str:
    """What to do about an end from outside; of batches, of which the engine speaks, there is nothing to choose here."""
    return str(_("Close other programs, then try again."))


def problem(text: str, hint: str = "") -> Message:
    """Something that could not be done."""
    return Message(text, hint, Tone.ERROR)


def packages_missing(install: Action) -> Message:
    """Packages were declined."""
    return Message(
        _("Cases can be annotated, but not learned from or segmented: Python packages are missing."),
        _("Install them whenever you like."),
        Tone.WARNING,
        (install,),
    )


def nothing_in_folder(folder: Path) -> Message:
    """A folder has no volumes."""
    return Message(_("There are no volumes that can be used in {folder}.").format(folder=folder), "", Tone.ERROR)


def some_bad(count: int) -> Message:
    """A folder has files that cannot be used."""
    text = words.counted(count, _("{n} file of the folder cannot be used."), _("{n} files of the folder cannot be used."))
    return Message(text, _("The log says why."), Tone.WARNING)


def stopped(model: Path | None) -> Message:
    """A fine-tuning was cancelled."""
    if model is None:
        return Message(_("Cancelled before the first checkpoint; no model was made."), _("Start again whenever you like."))
    return Message(
        _("Cancelled. The best model so far is kept and can be used."),
        _('To go on from it, choose "The last model" under Begin with.'),
    )


def left_out(reasons: Mapping[str, str]) -> Message:
    """Cases that were to be learned from could not be."""
    return Message(
        _("Could not be learned from: {names}.").format(names=words.listed(list(reasons))),
        " ".join([*(reason for reason in list(reasons.values())[:3] if reason), _("The model has learned from the others.")]),
        Tone.WARNING,
    )


def failed_later(last: Failed, finished: bool) -> Message:
    """A fine-tuning failed when a model was there: that of its end, or else the best so far."""
    if not finished:
        text = _("{reason} The best model until then is kept and can be used.")
        return Message(
            text.format(reason=last.message), _('To go on from it, choose "The last model" under Begin with.'), Tone.WARNING
        )
    text = _("The model is made and can be used, but what came after it failed, so no Dice is told. {reason}")
    return Message(text.format(reason=last.message), _after_a_kill() if last.kind == "killed" else last.hint, Tone.WARNING)


def time_unknown(last: Failed) -> Message:
    """A fine-tuning begins, and how long its steps take could not be found out."""
    return Message(
        _("It may take longer than the time that was set, which could not be estimated: {reason}").format(reason=last.message),
        _("Cancel keeps the best model so far."),
        Tone.WARNING,
    )


def cancelled(done: int, total: int) -> Message:
    """Segmenting was cancelled."""
    if done == total:
        return Message(_("It was done before it could be cancelled."), _('"Undo" takes it back.'))
    if total == 1:
        return Message(_("Cancelled; nothing was changed."))
    return Message(_("Cancelled. {done} of {total} volumes are segmented.").format(done=done, total=total))


def nothing_found(names: Sequence[str]) -> Message:
    """A prediction is empty."""
    return Message(
        _("Nothing was found in {names}: all of it is background.").format(names=words.listed(names)),
        _("Does it show what the model was trained on? Otherwise annotate some of its slices and fine-tune again."),
        Tone.WARNING,
    )


def with_kept(names: Sequence[str], message: Message | None) -> Message:
    """What happened, and which segmentations of people gave way; they are not lost."""
    kept = _('Kept, hidden: "{names}".').format(names=_('", "').join(names))
    hint = _('To have it again, press Undo, or choose it under Review and press "Bring back".')
    if message is None:
        return Message(kept, hint)
    return replace(message, text=f"{message.text} {kept}", hint=f"{message.hint} {hint}".strip())


def stayed(names: Sequence[str]) -> Message:
    """A click was to be undone whose results were changed or accepted since."""
    return Message(
        _('"{names}" was changed since, so it stays.').format(names=_('", "').join(names)),
        _("Remove it in the module Data if you do not want it."),
    )


def segmented(count: int, failures: Sequence[tuple[str, str]], not_begun: int = 0) -> Message:
    """Several volumes were segmented; ``not_begun`` others were not even tried."""
    done = words.counted(count, _("{n} volume is segmented."), _("{n} volumes are segmented."))
    if not failures:
        return Message(done, _("Look at each, then accept or correct it."))
    reasons = " ".join(f"{name}: {reason}" for name, reason in failures[:3])
    parts = [done, words.counted(len(failures), _("{n} could not be segmented."), _("{n} could not be segmented."))]
    if not_begun:
        parts.append(words.counted(not_begun, _("{n} was not begun."), _("{n} were not begun.")))
        reasons += " " + _('"Segment all" does the others.')
    return Message(" ".join(parts), reasons, Tone.WARNING)


def folder_segmented(done: int, before: int, skipped: int, out: Path, kept: Sequence[str] = ()) -> Message:
    """A folder was segmented; ``kept`` are label files that were there and are nobody's but a person's."""
    parts = [words.counted(done, _("{n} volume is segmented"), _("{n} volumes are segmented"))]
    if before:
        parts.append(words.counted(before, _("{n} was done before"), _("{n} were done before")))
    if skipped:
        parts.append(words.counted(skipped, _("{n} file could not be used"), _("{n} files could not be used")))
    hint = _("Label files and a log are in {folder}.").format(folder=out)
    text = ", ".join(parts) + "."
    if kept:
        much = words.counted(len(kept), _("{n} label file was"), _("{n} label files were"))
        text += " " + _("{much} there before, or changed by hand, and left as it was: {names}.").format(
            much=much, names=words.listed(kept)
        )
        hint = _("To segment these volumes, choose another folder for the label files, or move the old ones away.") + " " + hint
    return Message(text, hint, Tone.WARNING if skipped or kept else Tone.NOTE)


def folder_stopped(out: Path) -> Message:
    """Segmenting a folder was cancelled."""
    return Message(
        _("Cancelled. What was segmented is kept in {folder}.").format(folder=out),
        _('"Segment folder" with the same folders goes on from there.'),
    )


def about_unlike(names: Sequence[str], total: int) -> Question:
    """Asked before volumes are segmented that are unlike the training data."""
    text = _("{n} of {total} volumes are unlike those that the model was trained on:\n{names}\n\nSegment them all the same?")
    choices = (Choice("all", _("Segment all")), Choice("like", _("Leave them out")), Choice("no", _("Cancel")))
    return Question(_("Unlike the training data"), text.format(n=len(names), total=total, names=words.listed(names)), choices)


def unlike(sentences: Sequence[str]) -> str:
    """Shown before the volume is segmented."""
    if not sentences:
        return ""
    return _("This volume is unlike those that the model was trained on; look closely at the result. {why}").format(
        why=" ".join(sentences)
    )


def what_was_exported(role: Role, names: Sequence[str]) -> str:
    """Which of the segmentations of a volume was written."""
    text = {
        Role.REVIEWED: _('It is the accepted segmentation "{names}".'),
        Role.PREDICTION: _('It is the prediction "{names}", which nobody has accepted.'),
    }.get(role, _('It is the annotation "{names}".'))
    return text.format(names=_('" and "').join(names))


def exported(written: Exported, what: str = "") -> Message:
    """A label file was written, with these values; ``what`` it holds is said."""
    values = [_("{value} is {name}").format(value=entry.value, name=entry.name) for entry in written.classes]
    if written.not_annotated:
        much = words.counted(written.not_annotated, _("{n} slice"), _("{n} slices"))
        values.append(_("255 is not annotated ({much})").format(much=much))
    hint = _("In it {values}.").format(values=", ".join(values)) if values else ""
    return Message(_("Written: {path}").format(path=written.path), f"{what} {hint}".strip())
