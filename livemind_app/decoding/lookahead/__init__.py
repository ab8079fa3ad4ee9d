"""Lookahead decoding: several tokens a forward, the same output.

Drafts of what comes next are read off earlier text, verified together in one forward, and kept as far as
they are what the model would have said (arXiv 2312.12728).

    automaton, trie, recycled   what earlier text and logits say of the next token
    predict                     their blended, calibrated probabilities
    tree                        the tokens worth a forward, by these probabilities and the cost of a row
    drafter                     all of it for one generation
    cost                        what a forward of k rows costs
    original                    the published policy, to compare with
"""
