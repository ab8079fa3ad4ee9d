"""`livemind bench llm-to-slm`: what the large model's states give the small one, against controls.

command    arguments
job        the order of a run, and its rows on disk
arms       ways to answer, each with its own idea of how likely a given answer is
score      right or wrong where that can be told, else ROUGE-L
summary    rows → figures
report     figures → tables
"""
