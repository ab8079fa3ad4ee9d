"""SentenceVAE on the page: the option where models have it, and the inspector of the codec."""

from playwright.sync_api import BrowserContext, expect

from tests.ui.conftest import LivePage, Log

WHY = "there is none; train one with `livemind train sllm`"
SENTENCES = {
    "sentences": [
        {"text": "Hi there.", "said": "Hi here.", "tokens": 3, "right": 2, "latents": [[0.5, -2.0] * 32] * 2}
    ]
}


def opened(context: BrowserContext, live: LivePage, log: Log, missing: dict[str, str]) -> LivePage:
    """The page on models that have SentenceVAE, but for what is `missing`."""
    page = context.new_page()
    log.watch(page)
    other = LivePage(page, log)
    other.health_says({"unavailable_choices": {"sentence_vae": missing}})
    page.route("**/api/sentence-vae/sentences", lambda route: route.fulfill(json=SENTENCES))
    texts = {"texts": ["one", "between", "other"]}
    page.route("**/api/sentence-vae/between", lambda route: route.fulfill(json=texts))
    return other.open()


def test_what_the_models_do_not_have_cannot_be_chosen(
    context: BrowserContext, live: LivePage, log: Log
) -> None:
    other = opened(context, live, log, {"sllm": WHY})
    other.open_options()
    expect(other.page.get_by_role("radio", name="Whole sentences")).to_be_disabled()
    expect(other.page.get_by_role("radio", name="Compressed context")).to_be_enabled()
    expect(other.page.locator("#lm-option-sentence_vae-why")).to_have_text(f"Whole sentences: {WHY}")


def test_a_sentence_can_be_looked_into(context: BrowserContext, live: LivePage, log: Log) -> None:
    page = opened(context, live, log, {}).page
    page.get_by_text("Look into SentenceVAE").click()
    page.get_by_label("A text", exact=True).fill("Hi there.")
    page.get_by_role("button", name="Encode and decode").click()
    returned = page.get_by_role("list", name="What comes back").get_by_role("listitem")
    expect(returned).to_contain_text("Hi here.")
    expect(returned).to_contain_text("2 of 3 tokens right, from 2 vectors")
    expect(page.get_by_role("img", name="Latent 2 of 2")).to_be_visible()
    page.get_by_role("button", name="From the first to the second").click()
    steps = page.get_by_role("list", name="Between the two").get_by_role("listitem")
    expect(steps).to_have_text(["one", "between", "other"])


def test_without_a_codec_there_is_no_inspector(context: BrowserContext, live: LivePage, log: Log) -> None:
    page = opened(context, live, log, {"sllm": WHY, "hybrid": WHY}).page
    expect(page.locator("#lm-benchmark summary")).to_be_attached()
    expect(page.get_by_text("Look into SentenceVAE")).to_be_hidden()
