"""How many pages to have in flight: as many as serve, fewer for a source that asks for rest or moves too fast."""

# Pages in a row that went well before one more is asked ahead again.
CALM_PAGES = 10


class Pace:
    """Halved by trouble, widened one by one: what is asked ahead in vain, or refused, costs the source more than us."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._calm = 0
        self.pages = most

    def note(self, *, smooth: bool) -> None:
        """How the last page went. Not smooth: the source asked for rest, or pages asked ahead were of no use."""
        self._calm = self._calm + 1 if smooth else 0
        if not smooth:
            self.pages = max(1, self.pages // 2)
        elif self._calm % CALM_PAGES == 0:
            self.pages = min(self.most, self.pages + 1)
