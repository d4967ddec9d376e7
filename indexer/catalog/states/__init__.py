"""Every change of state of a file or a content; no state is written anywhere else."""
