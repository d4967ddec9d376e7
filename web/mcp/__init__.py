"""The library for agents: tools of the Model Context Protocol, whatever carries its messages."""
