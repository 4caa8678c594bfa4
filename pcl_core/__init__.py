"""Positional contrastive learning for the segmentation of medical volumes.

The engine knows nothing of 3D Slicer: it reads volumes, pretrains a U-Net encoder on their slices, fine-tunes it on a few
labelled cases, and writes segmentations on each volume's own grid. Method: Zeng et al., "Positional Contrastive Learning
for Volumetric Medical Image Segmentation", MICCAI 2021.
"""

__version__ = "0.1.0"
