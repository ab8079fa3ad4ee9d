"""The ways in which a prompt is answered, side by side."""

from typing import Literal

from livemind_app.protocol import Role

LaneName = Literal["live", "live-slm", "exact", "exact-slm", "conventional", "slm"]
Method = Literal["notes", "exact", "none"]  # what a lane does while the user types

LANES: tuple[LaneName, ...] = ("live", "live-slm", "exact", "exact-slm", "conventional", "slm")  # as they run
LANE_ROLE: dict[LaneName, Role] = {
    "live": "llm",
    "live-slm": "slm",
    "exact": "llm",
    "exact-slm": "slm",
    "conventional": "llm",
    "slm": "slm",
}
LIVE_LANES: tuple[LaneName, ...] = ("live", "live-slm")  # that do what the mode says
AHEAD_LANES: tuple[LaneName, ...] = (*LIVE_LANES, "exact", "exact-slm")  # that work before a submit
