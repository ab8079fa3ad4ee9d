"""Models behind OpenAI-compatible servers (vLLM, SGLang, llama-server), as an engine like any other.

address      http://host:port/v1#model
limits       seconds to wait for a server, requests at once that nobody waits for
client       one completion as a stream of increments: HTTP, timeouts, retries
pulse        whether a server that writes nothing is alive
failures     when to ask again, and what to tell
breaker      when to stop asking a server that fails
connect      what a server has and takes
speculative  speculative decoding of the server's own
tokens       the model's own tokenizer, from where the server keeps the model
remote       protocol.Engine over them
"""
