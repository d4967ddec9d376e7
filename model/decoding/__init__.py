"""From token ids to the next token: prefill, cache, draft and verify, sampling, hidden states."""
