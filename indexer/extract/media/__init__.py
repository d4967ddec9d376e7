"""Photos, scans, recordings and films: pixels, samples, and the parts of them for the model."""
