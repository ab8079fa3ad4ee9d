"""Processor time a token: of the large model, of the small one, and of the small one with an adapter.

    OMP_NUM_THREADS=1 .venv/bin/python scripts/time_pair.py ADAPTER --weights auto

They take turns, so that whatever else runs on the machine slows all of them.
"""

import argparse
import time
from pathlib import Path
from statistics import median

from livemind_app.engine.cache import KVCache
from livemind_app.engine.loading import wrap
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.models.load import load
from livemind_app.llm_to_slm import adapter

TOKENS = 8  # of a turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("adapter", type=Path, help="folder of `livemind train llm-to-slm`")
    parser.add_argument("--weights", default="auto", help="as of `livemind serve`")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--context", type=int, default=200, help="tokens before the first")
    args = parser.parse_args()
    found = adapter.load(args.adapter)
    names = {role: str(found.meta[role]) for role in ("llm", "slm")}
    models = {role: wrap(name, *load(name, weights=args.weights)) for role, name in names.items()}
    began = time.process_time()
    models["ours"] = found.merged(models["slm"])
    print(f"adapter {time.process_time() - began:.1f} s")
    caches = {role: filled(model, args.context) for role, model in models.items()}
    turns = [
        {role: seconds(model, caches[role]) for role, model in models.items()} for _ in range(args.rounds)
    ]
    for role in models:
        print(f"{role} {1000 * median(turn[role] for turn in turns):.1f} ms")
    print(f"llm : ours {median(turn['llm'] / turn['ours'] for turn in turns):.2f}")


def filled(model: LoadedModel, tokens: int) -> KVCache:
    cache = KVCache()
    model.prefill([5 + at % 100 for at in range(tokens)], cache)
    return cache


def seconds(model: LoadedModel, cache: KVCache) -> float:
    """Of one token."""
    began = time.process_time()
    for _ in range(TOKENS):
        assert cache.logits is not None
        model.decode([int(cache.logits.argmax())], cache)
    return (time.process_time() - began) / TOKENS


if __name__ == "__main__":
    main()
