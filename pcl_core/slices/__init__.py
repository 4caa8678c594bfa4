"""Volumes become prepared slices with positions: intensities, in-plane grid, the slice bank, augmentation."""
