"""Slices become label volumes on the native grid."""
