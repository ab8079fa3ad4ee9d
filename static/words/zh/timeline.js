// The time axis.
import { rate, seconds } from "../../numbers.js";
import { LANES } from "./answers.js";
import { count, tokens } from "./counts.js";

const span = (from, to) => (to === null ? "尚未结束" : seconds(to - from));

const STATES = {
  running: "进行中",
  done: "完成",
  cut: "被回车截断",
  dropped: "回车时放弃：尚未说出内容",
  "rolled-back": "已撤回：之前的文字变了",
  making: "一部分",
  ready: "全部",
  used: "若文字相同，回车时显示",
  "passed-on": "并入下一份草稿",
  discarded: "已丢弃：文字变了",
  interrupted: "被其他计算打断",
  stopped: "已停止",
  failed: "失败",
};

const DESCRIBE = {
  typing: ({ grown, changes, from, to }) => [
    `输入 ${count(grown, "个字符")}`,
    changes > 1 ? `${count(changes, "次改动")}，${seconds(to - from)}` : "一次",
  ],
  segments: ({ number, text, from, to, gone }) => [`第 ${number} 段${gone ? "，已删除" : ""}`, text.trim(), `用时 ${span(from, to)}`],
  notes: ({ index, text, kind, status, tokens: written, seconds: computed }) => [
    kind === "wait" && status === "done" ? `第 ${index + 1} 段：暂无可记` : `第 ${index + 1} 段的笔记`,
    text.trim(),
    `${STATES[status]} · ${tokens(written)} · 计算 ${seconds(computed)}`,
  ],
  ahead: ({ lane, from, to, tokens: written, ready, status }) => [
    `${LANES[lane].title}：回车之前开始的回答`,
    STATES[status],
    `${span(from, to)}内 ${tokens(written)} · 已备 ${tokens(ready)}`,
  ],
  submit: ({ prompt }) => ["回车", prompt],
  lane: (name, { metrics, status, from, to }) => [
    LANES[name].title,
    STATES[status] ?? status,
    ...(metrics
      ? [
          `第一个词 ${seconds(metrics.ttft)}，完整 ${seconds(metrics.latency)}`,
          `${tokens(metrics.tokens)} · ${rate(metrics.tokens_per_s)}`,
          ...(metrics.overhead_s ? [`等待一步停下 ${seconds(metrics.overhead_s)}`] : []),
        ]
      : [span(from, to)]),
  ],
};

export const TIMELINE = {
  title: "时间轴",
  hint: "拖动以移动，Ctrl 加滚轮或 + 和 − 缩放；键盘方向键逐个移动。",
  rows: { typing: "打字", segments: "段", notes: "笔记", ahead: "预答" },
  prompt: "本提示",
  everything: "全部",
  closer: "放大",
  farther: "缩小",
  export: (kind) => `导出 ${kind}`,
  submit: "回车",
  preempted: STATES,
  figures: ({ ttft, tokens: written }) => `首词 ${seconds(ttft)} · ${tokens(written)}`,
  describe: (row, item) => (DESCRIBE[row] ? DESCRIBE[row](item) : DESCRIBE.lane(row, item)),
  summary: (prompts, parts, notes, preempted) =>
    `${count(prompts, "个提示")}，${count(parts, "段")}，${count(notes, "条笔记")}，${count(preempted, "步")}被丢弃或截断`,
  legend: { first: "直到第一个词", rest: "书写", bad: "被丢弃或截断", enter: "回车" },
};
