"""The tables of docs/scale.md, and their place in it."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

from livemind_app.benchmark.scale.assumptions import Assumptions, option
from livemind_app.benchmark.scale.costs import Cost, Costs
from livemind_app.benchmark.scale.model import break_even, dollars_for_an_hour, extra_dollars, needs, saved_s
from livemind_app.benchmark.scale.queue import capacity
from livemind_app.benchmark.tables import table

BEGIN = "<!-- From here on written by scripts/simulate_scale.py --write -->"
END = "<!-- To here -->"
LOADS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7)
PRICES = (1.0, 2.0, 4.0, 8.0)  # dollars for an engine replica and hour
HALVED = ("engine_tokens_per_s", "engine_hour", "tokens_after", "tokens_before", "prompt_s", "keys_per_s")
HALVED_TOO = ("notes", "gb_out", "app_hour", "router_ms", "replica_ms")
NEEDS = (
    ("users who type", "assumed"),
    ("pages open", "assumed"),
    ("drafts/s", "assumed"),
    ("app replicas", "simulated"),
    ("router cores", "assumed"),
    ("sessions", "measured × assumed"),
    ("network", "measured × assumed"),
    ("engines, plain", "assumed"),
    ("engines, work ahead", "assumed"),
    ("app a month", "× price"),
    ("network a month", "× price"),
    ("engines a month", "× price"),
    ("all", ""),
)


def report(costs: Costs, assumed: Assumptions, users: Sequence[int]) -> str:
    """All of it; the same costs and assumptions give the same text."""
    parts = (
        "### What events cost the app tier (measured)",
        events(costs),
        measured_on(costs),
        "### What users who type need",
        needed(costs, assumed, users),
        f"A replica is one process on one core, and has room for {capacity(costs, assumed):,} users who type "
        f"before the share that is kept free (simulated).",
        "### What is assumed",
        assumptions(assumed),
        "### What a month costs if an assumption is half or twice as much",
        sensitivity(costs, assumed, users[len(users) // 2]),
        "### Where work ahead stops paying",
        paying(costs, assumed),
        told_break_even(costs, assumed),
    )
    return "\n\n".join(parts)


def events(costs: Costs) -> str:
    rows: list[tuple[str, Cost]] = [
        ("a keystroke: a draft and its acknowledgement", costs.keystroke),
        ("its echo in the stream of events", costs.echo),
        (f"a finished segment ({costs.chars_per_segment:.0f} characters), beyond that", costs.segment),
        (f"a note ({costs.note_tokens:.0f} tokens), beyond that", costs.note),
        ("an answer, but its tokens", costs.answer),
        ("a token of it", costs.token),
        ("a session, begun and ended", costs.session),
    ]
    cells = ([name, f"{cost.cpu_ms:.2f} ms", f"{cost.up:,.0f}", f"{cost.down:,.0f}"] for name, cost in rows)
    return table(("event", "CPU", "bytes up", "bytes down"), cells)


def measured_on(costs: Costs) -> str:
    where, versions = costs.where, costs.where["versions"]
    return (
        f"A session with a typed text, its notes and its stream takes {costs.typed_kib:.0f} KiB of memory, "
        f"one with an answer more {costs.chat_kib:.0f} KiB. "
        f"{where['cpu']['model']}, {where['cpu']['count']} cores, load {where['load']}; "
        f"Python {versions['python']}, uvicorn {versions['uvicorn']}; commit {str(where['commit'])[:7]}."
    )


def needed(costs: Costs, assumed: Assumptions, users: Iterable[int]) -> str:
    rows = [[source for _, source in NEEDS]]
    for typists in users:
        need = needs(costs, assumed, typists)
        counts = (need.app_replicas, need.router_cores)
        engines = (need.engines_plain, need.engines)
        prices = (need.app_month, need.network_month, need.engines_month, need.month)
        rows.append(
            [
                *(f"{typists:,}", f"{need.pages:,}", f"{need.drafts_per_s:,.0f}"),
                *(f"{count:,}" for count in counts),
                *(f"{need.memory_gib:,.1f} GiB", f"{need.network_mbit:,.0f} Mbit/s"),
                *(f"{count:,}" for count in engines),
                *map(money, prices),
            ]
        )
    return table([name for name, _ in NEEDS], rows)


def assumptions(assumed: Assumptions) -> str:
    lines = ["| assumption | value | of what | from |", "|---|---|---|---|"]
    for each in fields(Assumptions):
        what, source = each.metadata["what"], each.metadata["source"]
        lines.append(f"| `{option(each.name)}` | {getattr(assumed, each.name):g} | {what} | {source} |")
    return "\n".join(lines)


def sensitivity(costs: Costs, assumed: Assumptions, users: int) -> str:
    plain = needs(costs, assumed, users).month
    rows = [["as assumed", money(plain), money(plain)]]
    for name in (*HALVED, *HALVED_TOO):
        value = getattr(assumed, name)
        changed = (replace(assumed, **{name: value / 2}), replace(assumed, **_doubled(name, value)))
        rows.append([f"`{option(name)}`", *(money(needs(costs, each, users).month) for each in changed)])
    return table((f"{users:,} users who type", "half", "twice"), rows)


def paying(costs: Costs, assumed: Assumptions) -> str:
    rows = []
    for load in LOADS:
        priced = (replace(assumed, engine_hour=price) for price in PRICES)
        hours = (dollars_for_an_hour(costs, each, load) for each in priced)
        saved = saved_s(assumed, load)
        cells = ("never" if hour is None else f"${hour:,.2f}" for hour in hours)
        rows.append([f"{load:.0%}", f"{saved:+.2f} s", *cells])
    head = (f"${price:g}" for price in PRICES)
    return table(("replica's load without it", "saved at Enter", *head), rows)


def told_break_even(costs: Costs, assumed: Assumptions) -> str:
    return (
        "Below a price of an engine replica and hour: dollars for an hour of waiting that users are spared. "
        f"Work ahead costs {1000 * extra_dollars(costs, assumed):.3f} dollars more for 1,000 prompts, and "
        f"stops to save time at a load of {break_even(assumed):.0%}: tokens spared after Enter by tokens "
        f"written before it, ({assumed.tokens:g} − {assumed.tokens_after:g}) / {assumed.tokens_before:g}."
    )


def rewritten(document: str, text: str) -> str:
    """The document with this text between the marks. Raises ValueError where it has none.

    >>> print(rewritten(f"a\\n{BEGIN}\\nold\\n{END}\\nb", "new").count("new"))
    1
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no {BEGIN!r} … {END!r} to write between")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def money(dollars: float) -> str:
    """
    >>> money(12.3), money(45678), money(2345678), money(0)
    ('$12', '$46,000', '$2.3 M', '$0')
    """
    if dollars >= 1e6:
        return f"${dollars / 1e6:,.1f} M"
    return f"${round(dollars, -3):,.0f}" if dollars >= 1e4 else f"${dollars:,.0f}"


def _doubled(name: str, value: float) -> dict[str, float]:
    """A share has an end."""
    return {name: min(2 * value, 1.0) if name == "notes" else 2 * value}
