"""Speed, memory and quality, measured: every figure a comparison taken in one run."""
