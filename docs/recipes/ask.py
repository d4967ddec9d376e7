"""A streamed answer, printed while it is written: KEY=$(recollect token) python3 ask.py"""

import json
import os
from http.client import HTTPConnection

address = os.environ.get("URL", "http://127.0.0.1:7878").removeprefix("http://")
connection = HTTPConnection(address)
question = {"question": "How much is the deposit?", "after": "2020"}
headers = {"Authorization": f"Bearer {os.environ['KEY']}", "Content-Type": "application/json"}
connection.request("POST", "/api/ask", json.dumps(question), headers)
response = connection.getresponse()
if response.status != 200:
    raise SystemExit(json.load(response)["error"]["sentence"])
event = ""
for line in response:
    name, _, value = line.decode().rstrip("\n").partition(": ")
    if name == "event":
        event = value
    elif name == "data":
        data = json.loads(value)
        if event == "token":
            print(data["text"], end="", flush=True)
        elif event == "done":
            for citation in data["citations"]:
                print(f"\n[{citation['n']}] {citation['path']}: “{citation['quote']}”", end="")
        elif event == "error":
            raise SystemExit(data["sentence"])
print()
