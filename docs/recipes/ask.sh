# A streamed answer: a line `event:` and a line `data:` for each source, word and citation.
KEY=$(recollect token)
URL=${URL:-http://127.0.0.1:7878}
curl --silent --fail-with-body --no-buffer "$URL/api/ask" --header "Authorization: Bearer $KEY" \
  --json '{"question": "How much is the deposit?", "kind": "document"}'
