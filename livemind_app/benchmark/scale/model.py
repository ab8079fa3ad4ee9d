"""Replicas, network and money for so many users who type; and where work ahead stops paying."""

from dataclasses import dataclass
from math import ceil

from livemind_app.benchmark.scale.assumptions import Assumptions
from livemind_app.benchmark.scale.costs import Cost, Costs
from livemind_app.benchmark.scale.queue import capacity

HOURS = 730  # of a month


@dataclass(frozen=True)
class Needs:
    pages: int  # open, in which somebody types or not
    drafts_per_s: float
    app_replicas: int
    router_cores: int
    memory_gib: float  # of sessions
    network_mbit: float  # both ways
    engines_plain: int  # without work ahead
    engines: int
    app_month: float  # dollars, as all below
    network_month: float
    engines_month: float

    @property
    def month(self) -> float:
        return self.app_month + self.network_month + self.engines_month


def needs(costs: Costs, assumed: Assumptions, typists: int) -> Needs:
    """Of so many users who type at this moment."""
    pages, drafts = typists / assumed.typing, typists * assumed.keys_per_s
    free = 1 - assumed.spare
    replicas = ceil(typists / (capacity(costs, assumed) * free))
    routers = ceil(drafts * assumed.router_ms / 1000 / free)
    traffic = traffic_of_user(costs, assumed) * typists
    prompts = typists / assumed.prompt_s
    written = assumed.tokens_before + assumed.tokens_after
    engines = ceil(prompts * written / (assumed.engine_tokens_per_s * free))
    return Needs(
        pages=round(pages),
        drafts_per_s=drafts,
        app_replicas=replicas,
        router_cores=routers,
        memory_gib=pages * costs.chat_kib / 2**20,
        network_mbit=8 * (traffic.up + traffic.down) / 1e6,
        engines_plain=ceil(prompts * assumed.tokens / (assumed.engine_tokens_per_s * free)),
        engines=engines,
        app_month=(replicas + routers) * assumed.app_hour * HOURS,
        network_month=traffic.down * 3600 * HOURS / 1e9 * assumed.gb_out,
        engines_month=engines * assumed.engine_hour * HOURS,
    )


def traffic_of_user(costs: Costs, assumed: Assumptions) -> Cost:
    """Bytes a second of who types, both connections."""
    drafts = (costs.keystroke + costs.echo) * assumed.keys_per_s
    segments = (costs.segment + costs.note * assumed.notes) * (assumed.keys_per_s / costs.chars_per_segment)
    answers = (costs.answer + costs.token * assumed.tokens_after) * (1 / assumed.prompt_s)
    return drafts + segments + answers


# Where work ahead stops paying.


def wait_s(tokens: float, assumed: Assumptions, load: float) -> float | None:
    """For the last of so many tokens, at a replica that is so busy and shared fairly; None: for ever."""
    return tokens / assumed.stream_tokens_per_s / (1 - load) if load < 1 else None


def saved_s(assumed: Assumptions, load: float) -> float:
    """That a user waits less for an answer. `load`: of a replica without work ahead, which adds to it."""
    grown = load * (assumed.tokens_before + assumed.tokens_after) / assumed.tokens
    plain, ahead = wait_s(assumed.tokens, assumed, load), wait_s(assumed.tokens_after, assumed, grown)
    assert plain is not None
    return plain - ahead if ahead is not None else float("-inf")


def break_even(assumed: Assumptions) -> float:
    """The load from which on work ahead makes everybody wait longer: tokens spared by tokens before."""
    spared = assumed.tokens - assumed.tokens_after
    return min(max(spared / assumed.tokens_before, 0), 1) if assumed.tokens_before else 1.0


def extra_dollars(costs: Costs, assumed: Assumptions) -> float:
    """That a prompt costs more with work ahead: time of engine replicas, and of the app's cores."""
    tokens = assumed.tokens_before + assumed.tokens_after - assumed.tokens
    engine = tokens / assumed.engine_tokens_per_s / 3600 * assumed.engine_hour
    segments = assumed.prompt_s * assumed.keys_per_s / costs.chars_per_segment
    app_s = segments * (costs.segment.cpu_ms + assumed.notes * costs.note.cpu_ms) / 1000
    return engine + app_s / 3600 * assumed.app_hour


def dollars_for_an_hour(costs: Costs, assumed: Assumptions, load: float) -> float | None:
    """What an hour of waiting costs that users are spared; None where they are spared none."""
    saved = saved_s(assumed, load)
    return extra_dollars(costs, assumed) / (saved / 3600) if saved > 0 else None
