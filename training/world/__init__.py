"""The generated world: everything the demonstration model has ever seen, heard or read.

It is made from seeds alone: the same seed gives the same scene, note or question, letter for
letter. Nothing in here knows the model.
"""
