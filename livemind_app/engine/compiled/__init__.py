"""Products of matrices, compiled for the user's processor when the program starts; no compiler is needed.

emit.py      LLVM's language, in the words of this part
threads.py   torch's own threads, which run what is compiled
machine.py   from LLVM's language to a function that Python calls
functions.py functions of eight numbers at a time
digits.py    rows of activations as integers, normed or gated first
tiles.py     a few rows times four outputs' weights, in groups of 32
products.py  rows by rows, tiles by threads
attention.py a layer's attention of a few rows
"""
