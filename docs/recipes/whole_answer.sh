# The answer whole, with its citations, as one JSON.
KEY=$(recollect token)
URL=${URL:-http://127.0.0.1:7878}
curl --silent --fail-with-body "$URL/api/ask" --header "Authorization: Bearer $KEY" \
  --json '{"question": "How much is the deposit?", "stream": false}'
