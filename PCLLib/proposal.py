"""What the engine's plan proposes for each setting, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from PCLLib.settings import PretrainSettings


@dataclass(frozen=True)
class Proposal:
    """The plan of a pretraining, as far as a panel shows it.

    Attributes:
        threshold: of positions.
        resolution: in-plane pixel in mm.
        epochs: passes over all slices; what the plan's steps come to when it counts in steps.
        batch: slices a step.
        reasons: a sentence for some of them, by name.
    """

    threshold: float
    resolution: float
    epochs: int
    batch: int
    reasons: Mapping[str, str]

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any]) -> Proposal:
        """Reads the ``plan`` of a plan event."""
        pretrain, slices = plan["pretrain"], (plan.get("fingerprint") or {}).get("slices", 0)
        batch = pretrain["batch"]
        per_epoch = max(1, -(-slices // batch))
        epochs = pretrain["epochs"] or max(1, -(-(pretrain["steps"] or 1) // per_epoch))
        reasons = plan.get("reasons", {})
        found = {
            "threshold": reasons.get("pretrain.threshold"),
            "resolution": reasons.get("slices.resolution_mm"),
            "epochs": reasons.get("pretrain.steps") or reasons.get("pretrain.epochs"),
            "batch": reasons.get("pretrain.batch"),
        }
        if pretrain["steps"]:
            steps = _("{steps} steps.").format(steps=pretrain["steps"])
            found["epochs"] = f"{steps} {found['epochs'] or ''}".strip()
        return cls(
            threshold=pretrain["threshold"],
            resolution=plan["slices"]["resolution_mm"],
            epochs=epochs,
            batch=batch,
            reasons={name: reason for name, reason in found.items() if reason},
        )

    def updated(self, newer: Proposal, settings: PretrainSettings) -> Proposal:
        """The newer proposal where the person set nothing; what was proposed before for what the person set.

        The engine's plan repeats what was set, so it says nothing of what it would have proposed.
        """

        def pick(name: str) -> Any:
            return getattr(self if getattr(settings, name) else newer, name)

        names = ("threshold", "resolution", "epochs", "batch")
        reasons = {
            name: (self if getattr(settings, name) else newer).reasons[name]
            for name in names
            if name in (self if getattr(settings, name) else newer).reasons
        }
        return Proposal(pick("threshold"), pick("resolution"), pick("epochs"), pick("batch"), reasons)
