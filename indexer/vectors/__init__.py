"""Words and vectors of the library in LanceDB: written, made durable, searched, erased."""
