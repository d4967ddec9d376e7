"""From what the catalog, the retriever and the service give to the JSON of the API."""
