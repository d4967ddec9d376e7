"""Every file of the library, page by page: KEY=$(recollect token) python3 every_file.py"""

import json
import os
from http.client import HTTPConnection

connection = HTTPConnection(os.environ.get("URL", "http://127.0.0.1:7878").removeprefix("http://"))
headers = {"Authorization": f"Bearer {os.environ['KEY']}"}
offset, count = 0, 1
while offset < count:
    connection.request("GET", f"/api/files?offset={offset}&limit=10&order=newest", headers=headers)
    page = json.load(connection.getresponse())
    for file in page["files"]:
        print(file["state"], file["path"])
    count = page["count"]
    offset += 10
