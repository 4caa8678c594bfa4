def test_slots_are_called_in_order_and_once_each():
    from PCLLib.signals import Signal

    said = Signal[[str]]()
    heard: list[str] = []

    def first(word: str) -> None:
        heard.append("first " + word)

    said.connect(first)
    said.connect(lambda word: heard.append("second " + word))
    said.connect(first)
    said.emit("hello")
    assert heard == ["first hello", "second hello"]


def test_a_slot_may_leave_while_it_is_called():
    from PCLLib.signals import Signal

    said = Signal[[]]()
    calls: list[int] = []

    def once() -> None:
        calls.append(1)
        said.disconnect(once)

    said.connect(once)
    said.connect(lambda: calls.append(2))
    said.emit()
    said.emit()
    assert calls == [1, 2, 2]
    said.disconnect(once)
