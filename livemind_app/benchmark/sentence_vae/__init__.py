"""`livemind bench sentence-vae`: what sentences as tokens keep, cost and save, against their base.

command    arguments
job        the order of a run, and its rows on disk
quality    what comes back of sentences, and nats of the same tokens by every arm
speed      sentences and tokens a second, all arms on the same text
memory     backbone positions and bytes of the KV cache
summary    rows → figures
report     figures → tables
"""
