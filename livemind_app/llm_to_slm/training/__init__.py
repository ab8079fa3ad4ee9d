"""`livemind train llm-to-slm`: what the large model says to prompts, and a small one that learns to say it.

command    arguments, and the order of a run
features   its states of the prompts, on disk in 16 bits
examples   tokens of both models, aligned; batches
task       what a step learns, and how well held-out answers are predicted
"""
