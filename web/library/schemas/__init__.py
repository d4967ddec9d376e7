"""The JSON that leaves the library: one TypedDict for each shape of the API.

The command line's `--json` leaves out what only a browser needs of a hit and of the status.
"""
