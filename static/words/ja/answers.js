// The turn and its lanes.
import { percent, seconds } from "../../numbers.js";
import { count, tokens } from "./counts.js";

export const LANES = {
  live: { title: "LiveMind", hint: "入力中に考え、大きいモデルが答えます", bar: "LiveMind" },
  "live-slm": {
    title: "LiveMind + 小さいモデル",
    hint: "入力中は大きいモデルが考え、小さいモデルが答えます",
    bar: "LiveMind + 小",
  },
  exact: { title: "同一回答", hint: "通常の回答を Enter の前に始めます", bar: "同一" },
  "exact-slm": { title: "同一回答（小）", hint: "小さいモデルの回答を Enter の前に始めます", bar: "同一・小" },
  "llm-to-slm": { title: "導かれた小モデル", hint: "入力中に大きいモデルが読み、その理解から小さいモデルが書きます", bar: "導き・小" },
  conventional: { title: "通常方式", hint: "大きいモデルが Enter の後に全文を読みます", bar: "通常" },
  slm: { title: "小さいモデルのみ", hint: "Enter の後に全文を読みます", bar: "小のみ" },
};

export const SEGMENTS = {
  typing: "入力中",
  finished: "完了",
  thinking: "思考中",
  noted: "メモ済み",
  waiting: "続きを待つ",
  "rolled-back": "取り消し",
  cut: "中断",
  drafting: "下書き中",
  drafted: "下書き済み",
  rewritten: "書き直し",
  unchanged: "読了：変化なし",
};

export const LANE_STATUS = {
  queued: "順番待ち",
  reading: "プロンプトを読解中",
  writing: "記述中",
  done: "完了",
  interrupted: "割り込みあり",
  stopped: "停止",
  failed: "失敗",
};

export const TURN = {
  title: "この回",
  asked: "質問",
  bars: "レーンごとの時間",
  before: "Enter 前の思考",
  first: "Enter から最初の語まで",
  rest: "記述",
  notes: (notes) => `Enter 前に書いたメモ ${count(notes, " 件")}`,
  drafts: (steps) => `Enter 前に ${count(steps, " 段階")}で書き始めました`,
  headline: (saved, reduction) =>
    `通常方式より ${seconds(Math.abs(saved))} ${saved >= 0 ? "早く" : "遅く"}完了（${percent(-reduction)}）`,
  waits: "待機",
  again: "もう一度尋ねる",
  edit: "編集して再送",
  compare: "違いを示す",
  failed: "失敗",
};

export const PANE = {
  after: "Enter 後",
  sofar: "経過",
  versus: (reduction) => `通常比 ${percent(-reduction)}`,
  underlined: "下線",
  drafted: "：先読みが下書きし、モデルが確認",
  marked: "印",
  different: "：最初の回答にない部分",
  copy: "コピー",
  copied: "コピーしました",
  copyOf: (title) => `${title}の回答をコピー`,
  retry: "再試行",
  retryOf: (title) => `${title}にもう一度答えさせる`,
  stop: "停止",
  stopOf: (title) => `${title}を停止`,
  idle: (title) => `${title}の回答がここに出ます。`,
  queued: "互いに遅くならないよう、ほかの後に動きます。",
  reading: "プロンプトを読んでいます…",
  stopped: "最初の語の前に停止しました。",
  interrupted: "最初の語の前に割り込まれました。",
  failed: "回答なし：問題が起きました。",
  tokens,
  first: "最初の語",
  complete: "回答の完了",
  speed: "速度",
  answer: "回答",
  lookahead: "先読み",
  forwards: (each, saved) => `1 回の計算で ${each.toFixed(2)} トークン · ${count(saved, " 回")}節約`,
  cache: "終了時のキャッシュ",
  cached: (positions, megabytes, saved) =>
    `${count(positions, " 位置")}、${megabytes} MB${saved === null ? "" : `（逐語比 ${percent(-saved)}）`}`,
  prompt: "プロンプト",
  read: "Enter 後に読んだ量",
  ready: "Enter 時に用意済み",
  thought: "Enter 前の思考",
  wasted: "破棄",
  waited: "処理の停止待ち",
};

export const NOTES = {
  title: "入力中のメモ",
  list: "メモ",
  drafts: "各部分が回答にもたらしたもの",
  parts: "プロンプトの区切り",
  states: { running: "思考中", done: "メモ済み", cut: "中断", "rolled-back": "取り消し", drafting: "下書き中", drafted: "下書き済み", rewritten: "書き直し", unchanged: "変化なし" },
};

export const BEGUN = { title: "回答：Enter の前に書き始めたもの" };

export const HISTORY = {
  title: "このチャットの以前の回",
  edit: "編集して再送",
  branch: "ここから続く新しいチャットになります。このチャットは残ります。",
};

export const TABS = { title: "表示するレーン" };
