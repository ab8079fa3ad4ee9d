"""What the page of the run history says, in each language; lanes are called as on the chat's page."""

from collections.abc import Mapping
from dataclasses import dataclass

from livemind_app.serving.languages import Language


@dataclass(frozen=True)
class Words:
    """Templates of `str.format` where something is counted: for one, and for any other number."""

    language: Language
    title: str
    back: str
    navigation: str
    periods: Mapping[str, str]  # by days
    nothing: str
    count: str
    limited: str
    newest: str
    figures: tuple[str, ...]
    runs: tuple[str, ...]
    charts: tuple[str, str, str, str]
    run: tuple[str, str]
    character: tuple[str, str]
    span: str
    moment: str  # of strftime
    status: Mapping[str, str]
    lanes: Mapping[str, str]

    def counted(self, number: int) -> str:
        """So many runs."""
        return self.run[number != 1].format(f"{number:,}")

    def characters(self, number: float) -> str:
        return self.character[round(number) != 1].format(f"{round(number):,}")

    def lane(self, name: str) -> str:
        return self.lanes.get(name, name)


ENGLISH = Words(
    language="en",
    title="Run history",
    back="Back to the chat",
    navigation="Time and export",
    periods={"1": "24 hours", "7": "7 days", "30": "30 days", "": "All"},
    nothing="No runs in this time. Ask something in the chat, and its figures are here.",
    count="{}, one for each lane of each question.",
    limited=" The newest {} are shown.",
    newest="The newest",
    figures=(
        *("Lane", "Runs", "Latency, median", "9 of 10 below", "First word, median"),
        *("Reduction", "Thrown away"),
    ),
    runs=(
        *("Time (UTC)", "Lane", "Model", "Ended", "Question", "Answer", "First word", "Latency"),
        *("Reduction", "Thrown away"),
    ),
    charts=(
        "Latency over time",
        "Latency by length of the question",
        "Reduction against the conventional lane",
        "Thrown away, of what was generated before Enter",
    ),
    run=("{} run", "{} runs"),
    character=("{} character", "{} characters"),
    span="{} to {}",
    moment="%d %b %H:%M",
    status={"done": "done", "interrupted": "interrupted", "stopped": "stopped", "failed": "failed"},
    lanes={
        "live": "LiveMind",
        "live-slm": "LiveMind + small model",
        "exact": "Exact",
        "exact-slm": "Exact, small model",
        "llm-to-slm": "Guided small model",
        "conventional": "Conventional",
        "slm": "Small model alone",
    },
)
CHINESE = Words(
    language="zh",
    title="运行历史",
    back="返回聊天",
    navigation="时间与导出",
    periods={"1": "24 小时", "7": "7 天", "30": "30 天", "": "全部"},
    nothing="这段时间没有运行。在聊天中提问，数据就会出现在这里。",
    count="{}，每个问题的每个通道各一次。",
    limited="只显示最新的 {} 次。",
    newest="最新的运行",
    figures=("通道", "次数", "延迟，中位数", "九成低于", "第一个词，中位数", "减少", "丢弃"),
    runs=("时间（UTC）", "通道", "模型", "结果", "问题", "回答", "第一个词", "延迟", "减少", "丢弃"),
    charts=("延迟随时间", "延迟随问题长度", "较常规方式的减少", "回车之前所生成中被丢弃的部分"),
    run=("{} 次运行", "{} 次运行"),
    character=("{} 个字符", "{} 个字符"),
    span="{} 至 {}",
    moment="%m-%d %H:%M",
    status={"done": "完成", "interrupted": "被打断", "stopped": "已停止", "failed": "失败"},
    lanes={
        "live": "LiveMind",
        "live-slm": "LiveMind + 小模型",
        "exact": "精确",
        "exact-slm": "精确（小模型）",
        "llm-to-slm": "引导小模型",
        "conventional": "常规方式",
        "slm": "仅小模型",
    },
)
JAPANESE = Words(
    language="ja",
    title="実行履歴",
    back="チャットに戻る",
    navigation="期間と書き出し",
    periods={"1": "24 時間", "7": "7 日間", "30": "30 日間", "": "すべて"},
    nothing="この期間の実行はありません。チャットで尋ねると、数値がここに出ます。",
    count="{}（質問ごと、レーンごとに 1 件）。",
    limited="新しい {} 件を表示しています。",
    newest="新しい実行",
    figures=("レーン", "件数", "遅延（中央値）", "9 割が収まる値", "最初の語（中央値）", "短縮", "破棄"),
    runs=("時刻（UTC）", "レーン", "モデル", "結果", "質問", "回答", "最初の語", "遅延", "短縮", "破棄"),
    charts=(
        "遅延の推移",
        "質問の長さごとの遅延",
        "通常方式に対する短縮",
        "Enter 前に生成したうち破棄した割合",
    ),
    run=("{} 件", "{} 件"),
    character=("{} 文字", "{} 文字"),
    span="{}～{}",
    moment="%m-%d %H:%M",
    status={"done": "完了", "interrupted": "割り込みあり", "stopped": "停止", "failed": "失敗"},
    lanes={
        "live": "LiveMind",
        "live-slm": "LiveMind + 小さいモデル",
        "exact": "同一回答",
        "exact-slm": "同一回答（小）",
        "llm-to-slm": "導かれた小モデル",
        "conventional": "通常方式",
        "slm": "小さいモデルのみ",
    },
)
WORDS: Mapping[Language, Words] = {"en": ENGLISH, "zh": CHINESE, "ja": JAPANESE}
