"""Who reads a session's events: so many at most, and the newest stay."""


class Reader:
    """One of them."""

    gone = False  # whether it is to end


class Readers:
    """In the order in which they came."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: list[Reader] = []

    def __len__(self) -> int:
        return len(self._open)

    def enter(self) -> Reader:
        """One more; where there are too many now, the oldest is to go: its connection may long be dead."""
        self._open.append(reader := Reader())
        if len(self._open) > self._most:
            self._open.pop(0).gone = True
        return reader

    def leave(self, reader: Reader) -> None:
        if not reader.gone:
            self._open.remove(reader)
