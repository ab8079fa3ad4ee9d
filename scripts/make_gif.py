"""Record the page while its own example types itself, as the GIF of the README.

    make run                                             # in another shell
    .venv/bin/python scripts/make_gif.py --speed 3 --every 0.6

Everything in it is the real page and the models of that server, at --speed times its pace.
"""

import argparse
import io
import sys
import time
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from type_on_page import chromium

WIDTH, HEIGHT = 1180, 800
ANSWER_S = 500
COLORS = 48
MOST = 1_500_000  # bytes of the file
LAST_MS = 3000  # that the end is shown
OVER = """() => {
    const bars = [...document.querySelectorAll(".lm-bar-row")];
    const running = ["queued", "reading", "writing"];
    return bars.length > 0 && !bars.some((bar) => running.includes(bar.dataset.status));
}"""
Frames = list[tuple[float, Image.Image]]  # seconds and picture


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:7860")
    parser.add_argument("--out", type=Path, default=Path("docs/page.gif"))
    parser.add_argument("--width", type=int, default=660, help="of the GIF")
    parser.add_argument("--every", type=float, default=0.5, metavar="S", help="from frame to frame")
    parser.add_argument("--speed", type=float, default=2.0, help="how much faster than it was")
    args = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(args.url)
        page.wait_for_function("sessionStorage.getItem('livemind.session')")
        page.locator(".lm-watch").click()
        frames = record(page, args.every)
        browser.close()
    save(frames, args.out, args.width, args.speed)
    print(f"{args.out}: {len(frames)} frames, {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


def record(page: Page, every: float) -> Frames:
    """Until every lane has ended."""
    frames: Frames = []
    began = time.monotonic()
    over = False
    while not over and time.monotonic() - began < ANSWER_S:
        over = page.evaluate(OVER)
        picture = Image.open(io.BytesIO(page.screenshot(type="png"))).convert("RGB")
        frames.append((time.monotonic() - began, picture))
        page.wait_for_timeout(every * 1000)
    if not over:
        sys.exit("the answers took too long")
    return frames


def save(frames: Frames, out: Path, width: int, speed: float) -> None:
    """With every second frame left out until the file is small enough."""
    height = round(frames[0][1].height * width / frames[0][1].width)
    small = [(at, picture.resize((width, height), Image.Resampling.LANCZOS)) for at, picture in frames]
    write(small, out, speed)
    while out.stat().st_size > MOST:
        small = [*small[:-1:2], small[-1]]
        write(small, out, speed)


def write(frames: Frames, out: Path, speed: float) -> None:
    times, pictures = zip(*frames, strict=True)
    palette = pictures[-1].quantize(COLORS)  # the end shows every colour there is
    first, *rest = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    lengths = [round((b - a) * 1000 / speed) for a, b in pairwise(times)]
    first.save(out, save_all=True, append_images=rest, duration=[*lengths, LAST_MS], loop=0, disposal=1)


if __name__ == "__main__":
    sys.exit(main())
