"""Rows → figures."""

from collections.abc import Sequence
from math import exp
from statistics import median
from typing import Any

from livemind_app.sentence_vae.fidelity import BUCKETS, compared

Row = dict[str, Any]
Figures = dict[str, Any]
ARMS = ("base", "sllm", "hybrid")  # those that were there
CONTROLS = ("hybrid_raw", "oracle", "previous", "zero", "shuffled")
SAMPLES = 12


def summarize(rows: Sequence[Row], position_bytes: int, tokenizer: Any) -> Figures:
    """`position_bytes`: of the KV cache, of one position in all layers."""
    speed, memory = _speed(rows), _memory(rows, position_bytes)
    return {"codec": _codec(rows, tokenizer), "lm": _lm(rows), "speed": speed, "memory": memory}


def _codec(rows: Sequence[Row], tokenizer: Any) -> Figures:
    pairs = [(each["ids"], each["said"]) for row in rows for each in row["returned"]]
    by_length = {}
    for low, high in BUCKETS:
        inside = [(ids, said) for ids, said in pairs if low <= len(ids) <= high]
        if inside:
            by_length[f"{low}-{high}"] = compared(*zip(*inside, strict=True))
    shown = pairs[:: max(1, len(pairs) // SAMPLES)][:SAMPLES]
    return {
        **compared(*zip(*pairs, strict=True)),
        "by_length": by_length,
        "samples": [[tokenizer.decode(ids), tokenizer.decode(said)] for ids, said in shown],
    }


def _lm(rows: Sequence[Row]) -> Figures:
    """Perplexity is of sums: all nats by all tokens."""
    tokens = sum(row["tokens"] for row in rows)
    ppl = {name: exp(sum(row["nats"][name] for row in rows) / tokens) for name in rows[0]["nats"]}
    figures = {f"ppl_{name}": ppl[name] for name in ARMS if name in ppl}
    if "truncated" in ppl:
        figures["ppl_base_truncated"] = ppl["truncated"]
    controls = {name: ppl[name] for name in CONTROLS if name in ppl}
    return {**figures, "controls": controls, "tokens": tokens, "n": len(rows)}


def _speed(rows: Sequence[Row]) -> Figures:
    """Rates are of sums. Nothing where nothing was written."""
    timed = [row["written"] for row in rows if row["written"]]
    if not timed:
        return {}
    figures: Figures = {"n": len(timed)}
    arms = [arm for arm in ARMS if arm in timed[0]]
    for arm in arms:
        seconds = sum(row[arm]["seconds"] for row in timed)
        figures[arm] = {"tokens_per_s": sum(row[arm]["tokens"] for row in timed) / seconds}
        if read := [row[arm]["read_seconds"] for row in timed if "read_seconds" in row[arm]]:
            figures[arm]["read_s_p50"] = median(read)
    if sllm := [row["sllm"] for row in timed if "sllm" in row]:
        sentences = sum(row["steps"] for row in sllm)
        figures["sllm"]["sentences_per_s"] = sentences / sum(row["seconds"] for row in sllm)
        figures["sllm"]["tokens_per_sentence"] = sum(row["tokens"] for row in sllm) / sentences
    base = figures["base"]["tokens_per_s"]
    return figures | {f"speedup_{arm}": figures[arm]["tokens_per_s"] / base for arm in arms[1:]}


def _memory(rows: Sequence[Row], position_bytes: int) -> Figures:
    tokens = sum(row["positions"]["tokens"] for row in rows)
    arms = [arm for arm in ARMS if arm in rows[0]["positions"]]
    per_1k = {arm: 1000 * sum(row["positions"][arm] for row in rows) / tokens for arm in arms}
    return {
        "positions_per_1k_tokens": per_1k,
        "kv_bytes_per_1k_tokens": {arm: round(count * position_bytes) for arm, count in per_1k.items()},
    } | {f"reduction_{arm}": 1 - per_1k[arm] / per_1k["base"] for arm in arms[1:]}
