"""Media in, vectors and text out. Knows no files and no tables.

The way of a call, in order: `interface.py` says what goes in and what comes out; `runtime/` queues
the call for the one thread that owns the model, and loads it; `weights/` finds the checkpoint,
plans its memory and reads its tensors; `gemma.py` carries the call out. `prompt/` makes its inputs:
messages (`prompts.py`), the template's text (`chat_template.py`), ids, patches and frames
(`inputs.py`). `decoding/` prefills them, then generates tokens or reads hidden states
(`decoder.py`, `generation.py`, `vectors.py`). `answers/` writes an answer whose quotes stand in
their sources, in the form that `answer_format.py` defines. `errors.py` is the base of all errors.
"""
