"""One file an objective, and the contrastive loss they share."""
