"""The vocabulary of the indexer: places, passages, pieces, outcomes. No work is done here."""
