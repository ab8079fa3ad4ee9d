"""LLM-to-SLM: the large model reads the prompt while it is typed; the small one, given its states, writes.

After "Think Big, Generate Quick" (arXiv 2402.16844); docs/llm_to_slm.md says what is different here.

conditioner.py  states of the large model → what is added to the small one's embeddings
reader.py       the large model's states of a prompt, on a KV cache that is cut and goes on
adapter.py      a trained conditioner and its LoRA: on disk, and on a small model
generation.py   answers for the engine
loading.py      an engine with the adapter of its pair
training/       prompts, the large model's answers, states on disk, the training itself
"""
