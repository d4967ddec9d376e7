"""Everything the model is given, in words and in numbers: ids, patches, frames."""
