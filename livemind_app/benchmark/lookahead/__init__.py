"""`livemind bench lookahead`: the same answers by several policies, with the time that each takes.

command    arguments
job        the order of a run, and its rows on disk
prompts    what is asked: files of questions, and edits of Python's own sources
arms       the policies
summary    rows → figures
report     figures → tables and a plot
"""
