"""Encoder, decoder, U-Net and projection head."""
