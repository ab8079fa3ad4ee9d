// The time axis.
import { rate, seconds, whole } from "../../numbers.js";
import { LANES } from "./answers.js";
import { count, tokens } from "./counts.js";

const span = (from, to) => (to === null ? "進行中" : seconds(to - from));

const STATES = {
  running: "進行中",
  done: "完了",
  cut: "Enter により中断",
  dropped: "Enter 時に破棄：まだ何も書いていません",
  "rolled-back": "取り消し：前の文が変わりました",
  making: "一部",
  ready: "全体",
  used: "文が同じなら Enter 時に表示",
  "passed-on": "次の下書きに引き継ぎ",
  discarded: "破棄：文が変わりました",
  interrupted: "ほかの処理が割り込み",
  stopped: "停止",
  failed: "失敗",
};

const DESCRIBE = {
  typing: ({ grown, changes, from, to }) => [
    `${count(grown, " 文字")}を入力`,
    changes > 1 ? `${count(changes, " 回の変更")}、${seconds(to - from)}` : "一度に",
  ],
  segments: ({ number, text, from, to, gone }) => [
    `区切り ${number}${gone ? "（削除）" : ""}`,
    text.trim(),
    `入力 ${span(from, to)}`,
  ],
  notes: ({ index, text, kind, status, tokens: written, seconds: computed }) => [
    kind === "wait" && status === "done" ? `区切り ${index + 1}：まだ書くことなし` : `区切り ${index + 1} のメモ`,
    text.trim(),
    `${STATES[status]} · ${tokens(written)} · 計算 ${seconds(computed)}`,
  ],
  ahead: ({ lane, from, to, tokens: written, ready, status }) => [
    `${LANES[lane].title}：Enter 前に始めた回答`,
    STATES[status],
    `${span(from, to)} で ${tokens(written)} · 用意済み ${tokens(ready)}`,
  ],
  submit: ({ prompt }) => ["Enter", prompt],
  lane: (name, { metrics, status, from, to }) => [
    LANES[name].title,
    STATES[status] ?? status,
    ...(metrics
      ? [
          `最初の語 ${seconds(metrics.ttft)}、完了 ${seconds(metrics.latency)}`,
          `${tokens(metrics.tokens)} · ${rate(metrics.tokens_per_s)}`,
          ...(metrics.overhead_s ? [`処理の停止待ち ${seconds(metrics.overhead_s)}`] : []),
        ]
      : [span(from, to)]),
  ],
};

export const TIMELINE = {
  title: "タイムライン",
  hint: "ドラッグで移動、Ctrl とホイールまたは + と − で拡大・縮小。矢印キーで次へ移ります。",
  rows: { typing: "入力", segments: "区切り", notes: "メモ", ahead: "先答え" },
  prompt: "このプロンプト",
  everything: "全体",
  closer: "拡大",
  farther: "縮小",
  export: (kind) => `${kind} で書き出す`,
  submit: "Enter",
  preempted: STATES,
  figures: ({ ttft, tokens: written }) => `最初の語 ${seconds(ttft)} · ${tokens(written)}`,
  describe: (row, item) => (DESCRIBE[row] ? DESCRIBE[row](item) : DESCRIBE.lane(row, item)),
  summary: (prompts, parts, notes, preempted) =>
    `プロンプト ${whole(prompts)}、区切り ${whole(parts)}、メモ ${whole(notes)}、破棄または中断 ${whole(preempted)}`,
  legend: { first: "最初の語まで", rest: "記述", bad: "破棄または中断", enter: "Enter" },
};
