"""Reads a directory of Stator's, from the description in `format-spec/` alone.

It shares no code with Stator and was written from the chapters next to it, so that it can tell
whether they are true and complete. It never writes into the directory.
"""
