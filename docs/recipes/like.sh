# What is like a picture, which need not be in the library: bash like.sh photo.jpg
KEY=$(recollect token)
URL=${URL:-http://127.0.0.1:7878}
curl --silent --fail-with-body "$URL/api/search?limit=3" --header "Authorization: Bearer $KEY" \
  --header "Content-Type: image/jpeg" --data-binary "@$1"
