"""What every training of this project shares: texts, LoRA, checkpoints, and a loop that can be killed.

texts.py       records of files → plain texts, with the hashes of the files
lora.py        low-rank updates beside a frozen network's weights
checkpoint.py  a folder of small safetensors files and readable JSON
loop.py        steps, rates, evaluation, and state on disk from which a killed run goes on
"""
