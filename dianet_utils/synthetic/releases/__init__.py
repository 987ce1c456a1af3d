"""Synthetic clips laid out as the licensed datasets are released, sheet, folders and quirks."""
