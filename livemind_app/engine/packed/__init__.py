"""Weights in 4 or 8 bits for a CPU, where a decode step is as fast as memory delivers them.

phase.py        prefill or decode: which copy of the weights a forward reads
groups.py       projections on the products compiled for this processor
linear.py       projections on oneDNN's integer kernels, where there is VNNI
places.py       what stands in the places of projections, around the kernels
layout.py       large matrices as oneDNN lays them out
quantize.py     any matrix into 8 or 4 bits
gguf_blocks.py  the blocks of a GGUF file, unchanged
swap.py         a loaded network's projections replaced by packed ones
store.py        packed weights on disk, read at the next start
attention.py    attention of few queries over a long context
lean.py         a decoder layer in fewer operations
lean_layers.py  which layers can be decoded so
kv.py           keys and values in buffers that grow ahead
weights.py      the formats by name
"""
