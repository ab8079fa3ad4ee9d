"""SentenceVAE behind the engine's protocol: requests with a `compression`."""
