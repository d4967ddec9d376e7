"""One thread owns the model; everybody else asks through a client."""
