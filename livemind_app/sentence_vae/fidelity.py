"""How much of a sentence comes back: free-running, by length."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.data import Sentences
from livemind_app.sentence_vae.decode import reconstruct

BUCKETS = ((1, 8), (9, 16), (17, 32), (33, 64))  # tokens of a sentence
BATCH = 16


def fidelity(codec: Codec, data: Sentences, numbers: NDArray[np.int64], each: int) -> Mapping[str, Any]:
    """Token accuracy and exact matches of `each` sentences of every bucket, evenly spread over `numbers`.

    Token accuracy is the share of tokens that stand at their own place; tokens too many count as wrong.
    """
    result: dict[str, Any] = {}
    samples = []
    for low, high in BUCKETS:
        inside = numbers[(data.lengths[numbers] >= low) & (data.lengths[numbers] <= high)]
        chosen = inside[np.linspace(0, len(inside) - 1, min(each, len(inside))).astype(np.int64)]
        sentences = [data[int(index)] for index in chosen]
        returned = [
            r
            for at in range(0, len(sentences), BATCH)
            for r in reconstruct(codec, sentences[at : at + BATCH])
        ]
        if sentences:
            result[f"{low}-{high}"] = compared(sentences, returned)
            samples.append([sentences[0], returned[0]])
    return {"by_length": result, "samples": samples}


def compared(sentences: Sequence[Sequence[int]], returned: Sequence[Sequence[int]]) -> dict[str, float]:
    pairs = list(zip(sentences, returned, strict=True))
    right = sum(sum(a == b for a, b in zip(one, other, strict=False)) for one, other in pairs)
    total = sum(max(len(one), len(other)) for one, other in pairs)
    return {
        "token_accuracy": right / total,
        "exact_match": sum(list(one) == list(other) for one, other in pairs) / len(pairs),
        "sentences": len(pairs),
        "tokens": sum(map(len, sentences)),
    }
