"""The outermost layer: one library as people meet it, over HTTP and in the terminal.

The way of a query, in the order of the files it passes:

    http/server.py          a request arrives at the loopback address
    http/security.py        is it one of a browser or program that may ask?
    http/admission.py       is it small enough, and is a thread free for it?
    http/routes.py          the address and its parameters become a call of the library
    library/library.py      the call becomes a query; the retriever answers it
    library/serializers/    hits, sources and citations become JSON (library/schemas/)
    http/pages.py           the JSON is sent; an answer, as events, by http/event_streams.py

Agents come in by http/mcp_endpoint.py or by `recollect mcp`, and use the tools of mcp/tools.py;
clients of OpenAI's API come in by http/openai/. Both call the same library.

In the terminal, cli/commands/queries.py calls the library through cli/program.py, and
cli/output/hits.py prints the same JSON.
"""
