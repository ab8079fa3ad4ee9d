from livemind_app.protocol import Cancel


def test_whoever_waits_for_a_cancel_hears_of_it_once() -> None:
    heard: list[str] = []
    cancel = Cancel()
    cancel.then(lambda: heard.append("before"))
    assert heard == []
    cancel()
    cancel()
    cancel.then(lambda: heard.append("after"))
    assert heard == ["before", "after"]
