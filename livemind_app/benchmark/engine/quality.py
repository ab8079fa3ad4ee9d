"""What a format costs in text: perplexity, and how far its predictions are from the reference's."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path

import torch
from torch import Tensor

from livemind_app.benchmark.engine.speed import Tick
from livemind_app.benchmark.engine.subjects import Subject
from livemind_app.errors import ConfigError

WINDOW = 512  # tokens read at a time, each window on its own


@dataclass
class Quality:
    """Sums over predicted tokens."""

    tokens: int = 0
    nll: float = 0.0  # nats
    divergence: float = 0.0  # of Kullback and Leibler, from the reference, in nats
    agreed: int = 0  # most likely tokens that are the reference's
    excess: float = 0.0  # nats above the reference's, over all tokens
    excess_squares: float = 0.0

    @property
    def ppl(self) -> float:
        return exp(self.nll / self.tokens)

    @property
    def ratio_error(self) -> float:
        """Half of the 95 % interval of the ratio to the reference, tokens taken as independent."""
        mean = self.excess / self.tokens
        variance = max(self.excess_squares / self.tokens - mean**2, 0.0) / self.tokens
        return exp(mean) * (exp(1.96 * sqrt(variance)) - 1)


@dataclass(frozen=True)
class Text:
    """A file to read, by its name and hash."""

    name: str
    sha256: str
    text: str


def read(path: Path) -> Text:
    """A text, gzip or plain."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ConfigError(f"--data: {path} is no readable text ({type(error).__name__})") from error
    return Text(path.name, hashlib.sha256(data).hexdigest(), text)


def windows(ids: Sequence[int], count: int, context: int) -> list[Sequence[int]]:
    """The first windows of a text, as many as it has whole ones of."""
    size = min(WINDOW, context)
    whole = min(count, len(ids) // size)
    if count and not whole:
        raise ConfigError(f"--data has {len(ids)} tokens; a window takes {size}")
    return [ids[at * size : (at + 1) * size] for at in range(whole)]


@torch.inference_mode()
def measure(subjects: Sequence[Subject], parts: Sequence[Sequence[int]], tick: Tick) -> dict[str, Quality]:
    """The first subject is the reference."""
    found = {subject.name: Quality() for subject in subjects}
    for ids in parts:
        exact = _log_probabilities(subjects[0], ids)
        for subject, logs in _all(subjects, ids, exact):
            _add(found[subject.name], logs, exact, torch.tensor(ids[1:]))
        tick("perplexity")
    return found


def _all(subjects: Sequence[Subject], ids: Sequence[int], exact: Tensor) -> Iterator[tuple[Subject, Tensor]]:
    yield subjects[0], exact
    for subject in subjects[1:]:
        yield subject, _log_probabilities(subject, ids)


def _log_probabilities(subject: Subject, ids: Sequence[int]) -> Tensor:
    return subject.logits(ids)[:-1].float().log_softmax(dim=-1)


def _add(quality: Quality, logs: Tensor, exact: Tensor, expected: Tensor) -> None:
    said, wanted = (each.gather(1, expected[:, None]).double() for each in (logs, exact))
    quality.tokens += len(expected)
    quality.nll -= float(said.sum())
    quality.excess += float((wanted - said).sum())
    quality.excess_squares += float((wanted - said).square().sum())
    quality.divergence += float(torch.nn.functional.kl_div(logs, exact, reduction="sum", log_target=True))
    quality.agreed += int((logs.argmax(dim=-1) == exact.argmax(dim=-1)).sum())
