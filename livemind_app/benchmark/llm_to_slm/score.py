"""How good an answer is, from 0 to 1."""

import re

from livemind_app.benchmark.typing.scoring import extract_number, same_number
from livemind_app.training.prompts import Prompt


def score(prompt: Prompt, answer: str) -> float | None:
    """Right or wrong where the reference is a number, else ROUGE-L; None without a reference."""
    if not prompt.reference.strip():
        return None
    if not prompt.number:
        return rouge_l(answer, prompt.reference)
    said = extract_number(answer)
    wanted = prompt.reference.rpartition("####")[2].strip().replace(",", "")
    return float(said is not None and same_number(said, wanted))


def rouge_l(answer: str, reference: str) -> float:
    """F1 of the longest common subsequence of words (Lin 2004), without stemming.

    >>> rouge_l("The cat sat.", "the cat was there")
    0.5714285714285714
    """
    said, wanted = (re.findall(r"\w+", text.lower()) for text in (answer, reference))
    common = _longest(said, wanted)
    return 2 * common / (len(said) + len(wanted)) if common else 0.0


def _longest(one: list[str], other: list[str]) -> int:
    lengths = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for at, wanted in enumerate(other, 1):
            before, lengths[at] = (
                lengths[at],
                before + 1 if word == wanted else max(lengths[at], lengths[at - 1]),
            )
    return lengths[-1]
