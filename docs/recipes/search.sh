# The three best places for some words, one a line.
KEY=$(recollect token)
URL=${URL:-http://127.0.0.1:7878}
curl --silent --fail-with-body --get "$URL/api/search" --header "Authorization: Bearer $KEY" \
  --data-urlencode "q=deposit" --data "kind=document" --data "limit=3" |
  python3 -c 'import json, sys
for hit in json.load(sys.stdin)["hits"]:
    print(hit["path"], hit["place"], hit["snippet"])'
