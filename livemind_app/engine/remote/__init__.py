"""Models behind OpenAI-compatible servers (vLLM, SGLang, llama-server), as an engine like any other.

address      http://host:port/v1#model
client       one completion as a stream of increments: HTTP, timeouts, retries
breaker      when to stop asking a server that fails
tokens       the model's own tokenizer, from where the server keeps the model
remote       protocol.Engine over them
"""
