"""One client with many sessions speculates no more than one client may."""

from hypothesis import given
from hypothesis import strategies as st

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.session.clients import MINUTE_S, Client, Ledger
from livemind_app.session.events import Event, Prepared
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager

LIMIT = 24
QUESTION = "Tom has three apples. How many has he?"


async def speculated(clients: list[Client], limit: int = LIMIT) -> dict[str, int]:
    """Tokens by payer, when each of these has asked in a session of its own."""
    engine = ScriptedEngine(lambda role, prompt: " word" * 40)
    manager = SessionManager(engine, Limits(speculate_per_client=limit))
    spent: dict[str, int] = {}
    for client in clients:
        said: list[int] = []

        def see(event: Event, said: list[int] = said) -> None:
            if isinstance(event, Prepared):
                said.append(event.tokens)

        manager.observers = [see]
        session = manager.create({"mode": "exact", "lanes": ["exact"]}, client=client)
        session.draft(1, QUESTION)
        await session.settled()
        spent[client.payer] = spent.get(client.payer, 0) + max(said, default=0)
    await manager.close()
    engine.close()
    return spent


async def test_many_sessions_of_one_client_share_a_limit() -> None:
    greedy, other = Client("a", "a"), Client("b", "b")
    spent = await speculated([greedy] * 5 + [other])
    assert spent["a"] == LIMIT
    assert spent["b"] == LIMIT


async def test_nobody_in_particular_and_no_limit_are_not_counted() -> None:
    alone = (await speculated([Client("a", "a")], limit=0))["a"]
    assert alone > LIMIT
    assert (await speculated([Client()] * 3))[""] == 3 * alone
    assert (await speculated([Client("a", "a")] * 3, limit=0))["a"] == 3 * alone


@given(st.lists(st.tuples(st.floats(0, 50), st.sampled_from("ab"), st.integers(0, 9)), max_size=60))
def test_a_ledger_knows_the_last_minute_of_each_and_no_more(steps: list[tuple[float, str, int]]) -> None:
    now = 0.0
    ledger = Ledger(100, lambda: now)
    spent: list[tuple[float, str, int]] = []
    for gap, payer, tokens in steps:
        now += gap
        ledger.spend(payer, tokens)
        spent.append((now, payer, tokens))
        for name in "ab":
            recent = sum(n for at, who, n in spent if who == name and at >= now - MINUTE_S)
            assert ledger.left(name) == 100 - recent
    now += MINUTE_S + 1
    ledger.forget()
    assert not ledger._minutes
