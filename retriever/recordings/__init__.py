"""Recordings as meetings: who speaks when, what it is about, what was decided and is to be done."""
