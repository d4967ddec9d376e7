"""Photos, scans, recordings and films: their pixels and samples, and what is worth the model."""
