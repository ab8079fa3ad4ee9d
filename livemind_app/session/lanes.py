"""The ways in which a prompt is answered, side by side."""

from typing import Literal

from livemind_app.protocol import Role

LaneName = Literal["live", "live-slm", "exact", "exact-slm", "llm-to-slm", "conventional", "slm"]
Method = Literal["notes", "draft", "exact", "none"]  # what a lane does while the user types

LANES: tuple[LaneName, ...] = (  # as they run
    *("live", "live-slm", "exact", "exact-slm", "llm-to-slm"),
    *("conventional", "slm"),
)
LANE_ROLE: dict[LaneName, Role] = {
    "live": "llm",
    "live-slm": "slm",
    "exact": "llm",
    "exact-slm": "slm",
    "llm-to-slm": "slm",
    "conventional": "llm",
    "slm": "slm",
}
LIVE_LANES: tuple[LaneName, ...] = ("live", "live-slm")  # that do what the mode says
AHEAD_LANES: tuple[LaneName, ...] = (*LIVE_LANES, "exact", "exact-slm", "llm-to-slm")  # before a submit too
BOTH_LANES: tuple[LaneName, ...] = ("live-slm", "llm-to-slm")  # whose answers both models have a part in
GUIDED_LANES: tuple[LaneName, ...] = ("llm-to-slm",)  # the small model writes, the large one reads with it
