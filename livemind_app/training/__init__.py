"""What every training of this project shares: texts, LoRA, checkpoints, and a loop that can be killed.

texts.py       records of files → plain texts, with the hashes of the files
prompts.py     records of files → prompts; which of them are held out
answers.py     what a model says to prompts, in batches; answers_command.py writes it as texts
lora.py        low-rank updates beside a frozen network's weights
checkpoint.py  a folder of small safetensors files and readable JSON
precision.py   what steps compute in
loop.py        steps, rates, evaluation, and state on disk from which a killed run goes on
"""
