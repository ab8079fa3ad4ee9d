"""What many typing users need: `scripts/simulate_scale.py` and docs/scale.md.

page         one page at a server, its bytes counted by the kernel
costs        what events cost the app tier, measured here
assumptions  what is not measured, each with where it is from
queue        how many users share a replica, simulated
model        replicas, network and money from all of that
report       the tables
"""
