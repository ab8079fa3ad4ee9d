"""Figures out of samples: medians over rounds; speedups are medians of ratios within one round."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from livemind_app.benchmark.engine.footprint import Footprint
from livemind_app.benchmark.engine.llama import LLAMA
from livemind_app.benchmark.engine.quality import Quality
from livemind_app.benchmark.engine.speed import CONTEXTS, PROMPT, ROWS, Samples
from livemind_app.benchmark.engine.subjects import Answer

Figures = dict[str, Any]


def speed(answers: Sequence[Answer], base: Sequence[Answer], prompt: int) -> Figures:
    """Of answers against those of the reference in the same rounds."""
    if not answers:
        return {}
    decode = [_step_s(theirs) / _step_s(own) for own, theirs in zip(answers, base, strict=True)]
    prefill = [theirs.ttft_s / own.ttft_s for own, theirs in zip(answers, base, strict=True)]
    ttft = median(answer.ttft_s for answer in answers)
    return {
        "decode_tokens_per_s": 1 / median(map(_step_s, answers)),
        "decode_speedup": median(decode),
        "decode_speedup_range": [min(decode), max(decode)],
        "prefill_tokens_per_s": prompt / ttft,
        "prefill_speedup": median(prefill),
        "prefill_speedup_range": [min(prefill), max(prefill)],
        "ttft_300": ttft,
    }


def against(answers: Sequence[Answer], llama: Sequence[Answer]) -> Figures:
    """How many times as fast as llama-server in the same rounds; of the time to the first token the share."""
    pairs = list(zip(answers, llama, strict=True))
    return {
        "decode_against_llama": median(_step_s(theirs) / _step_s(own) for own, theirs in pairs),
        "prefill_against_llama": median(theirs.ttft_s / own.ttft_s for own, theirs in pairs),
        "ttft_against_llama": median(own.ttft_s / theirs.ttft_s for own, theirs in pairs),
    }


def _step_s(answer: Answer) -> float:
    return answer.decode_s / answer.steps


def curves(samples: Samples) -> Figures:
    """Milliseconds of a step by its tokens, and by those before it."""
    step = {point: 1000 * median(seconds) for point, seconds in samples.steps.items()}
    if not step:
        return {}
    return {
        "step_ms_by_tokens": {str(rows): step[rows, PROMPT] for rows in ROWS if (rows, PROMPT) in step},
        "step_ms_by_context": {str(length): step[1, length] for length in CONTEXTS if (1, length) in step},
    }


def quality(own: Quality, base: Quality) -> Figures:
    return {
        "ppl": own.ppl,
        "ppl_ratio": own.ppl / base.ppl,
        "ppl_ratio_error": own.ratio_error,
        "kl": own.divergence / own.tokens,
        "agreement": own.agreed / own.tokens,
        "ppl_tokens": own.tokens,
    }


def formats(
    samples: Mapping[str, Samples],
    found: Mapping[str, Quality],
    footprints: Mapping[str, Footprint],
    weight_bytes: Mapping[str, int],
    prompt: int,
) -> dict[str, Figures]:
    """All figures by subject; the first is the reference."""
    base = next(iter(samples))
    yardstick = samples.get(LLAMA, Samples()).answers
    return {
        name: {
            **speed(own.answers, samples[base].answers, prompt),
            **(against(own.answers, yardstick) if yardstick else {}),
            **curves(own),
            **(quality(found[name], found[base]) if name in found else {}),
            **({"bytes": weight_bytes[name]} if name in weight_bytes else {}),
            **(asdict(footprints[name]) if name in footprints else {}),
        }
        for name, own in samples.items()
    }
