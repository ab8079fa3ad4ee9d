"""Type questions on the real page in Chromium, as a user would, and report what the page shows.

    .venv/bin/python scripts/type_on_page.py --url http://127.0.0.1:7860 --limit 10 --json figures.json
    .venv/bin/python scripts/type_on_page.py --url http://127.0.0.1:7860 --limit 1 --screenshot docs/page.png

Start the app first (`make run`). Each question is typed in a new chat at 240 characters a minute, the
LiveMind paper's typist; then Enter, and all lanes are awaited. Figures are those of the panes.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

KEY_MS = 60_000 / 240
ANSWER_MS = 600_000
READ_PANES = """() => Object.fromEntries([...document.querySelectorAll('.lm-pane')]
  .filter(pane => pane.offsetParent)
  .map(pane => [pane.dataset.lane, {
    status: pane.dataset.status,
    answer: pane.querySelector('.lm-answer').answerText ?? '',
    ...Object.fromEntries([...pane.querySelectorAll('dl div')].map(
      row => [row.querySelector('dt').innerText, row.querySelector('dd').innerText])),
  }]))"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:7860")
    parser.add_argument("--limit", type=int, default=10, help="how many of the packaged questions")
    parser.add_argument("--json", type=Path, help="where to write every question's figures")
    parser.add_argument("--screenshot", type=Path, help="where to write a picture of the last question")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1000)
    args = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": args.width, "height": args.height},
            color_scheme="dark" if args.dark else "light",
        )
        page.goto(args.url)
        results = [ask(page, item) for item in questions(args.limit)]
        if args.screenshot:
            page.screenshot(path=args.screenshot)
        browser.close()
    report(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1, ensure_ascii=False))
    return 0


def chromium() -> str:
    names = (os.environ.get("LIVEMIND_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        sys.exit("Chromium was not found; install it or name it in LIVEMIND_CHROMIUM")
    return found


def questions(limit: int) -> list[dict[str, str]]:
    lines = files("livemind_app.benchmark").joinpath("prompts.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.strip().split("\n")][:limit]


def ask(page: Page, item: dict[str, str]) -> dict[str, Any]:
    """One question in a new chat; its figures as the page shows them."""
    page.locator("#lm-new").click()
    box = page.locator("#lm-prompt textarea")
    box.click()
    box.press_sequentially(item["question"], delay=KEY_MS, timeout=ANSWER_MS)
    notes = page.locator("#lm-notes").inner_text()
    box.press("Enter")
    done = "() => [...document.querySelectorAll('.lm-pane')].filter(p => p.offsetParent)" + (
        ".every(p => ['done', 'interrupted', 'failed', 'stopped'].includes(p.dataset.status))"
    )
    page.wait_for_function(done, timeout=ANSWER_MS)
    lanes = page.evaluate(READ_PANES)
    result = {**item, "notes": notes, "lanes": lanes}
    print(json.dumps(summary(result)), flush=True)
    return result


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """Seconds, tokens and whether the last number of the answer is the right one."""
    lanes = {}
    for name, lane in result["lanes"].items():
        numbers = re.findall(r"\d[\d,]*(?:\.\d+)?", lane["answer"])
        right = bool(numbers) and float(numbers[-1].replace(",", "")) == float(result["answer"])
        lanes[name] = {
            "ttft": number(lane.get("First word")),
            "latency": number(lane.get("Complete answer")),
            "tokens": number(lane.get("Answer")),
            "right": right,
            "status": lane["status"],
        }
    return {"question": result["question"][:40], **lanes}


def number(text: str | None) -> float:
    match = re.search(r"[\d.,]+", text or "")
    return float(match[0].replace(",", "")) if match else float("nan")


def report(results: list[dict[str, Any]]) -> None:
    rows = [summary(result) for result in results]
    for lane in results[0]["lanes"]:
        figures = [row[lane] for row in rows]
        latency = statistics.mean(figure["latency"] for figure in figures)
        ttft = statistics.median(figure["ttft"] for figure in figures)
        right = sum(figure["right"] for figure in figures)
        print(
            f"{lane:14} latency mean {latency:6.2f} s  TTFT median {ttft:5.2f} s  right {right}/{len(rows)}"
        )
    if "conventional" in results[0]["lanes"]:
        ratios = [
            1 - row["live"]["latency"] / row["conventional"]["latency"] for row in rows if "live" in row
        ]
        print(f"live against conventional, mean of ratios: {-100 * statistics.mean(ratios):.0f} %")


if __name__ == "__main__":
    sys.exit(main())
