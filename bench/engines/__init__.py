"""Real engines to test against: given pocket's weights in their own format, and started."""
