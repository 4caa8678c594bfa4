"""Pretraining, fine-tuning, checkpoints, schedules, precision."""
