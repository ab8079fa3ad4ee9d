// The turn and its lanes.
import { percent, seconds } from "../../numbers.js";
import { count, tokens } from "./counts.js";

export const LANES = {
  live: { title: "LiveMind", hint: "在您打字时已开始工作，由大模型作答", bar: "LiveMind" },
  "live-slm": { title: "LiveMind + 小模型", hint: "大模型在您打字时工作，由小模型作答", bar: "LiveMind + 小" },
  exact: { title: "精确", hint: "与常规回答相同，但在回车之前就开始", bar: "精确" },
  "exact-slm": { title: "精确（小模型）", hint: "小模型自己的回答，在回车之前就开始", bar: "精确·小" },
  "llm-to-slm": { title: "引导小模型", hint: "大模型在您输入时阅读，小模型根据它的理解来写", bar: "引导·小" },
  conventional: { title: "常规方式", hint: "大模型在回车之后才读完整的提示", bar: "常规" },
  slm: { title: "仅小模型", hint: "在回车之后才读完整的提示", bar: "仅小模型" },
};

export const SEGMENTS = {
  typing: "输入中",
  finished: "已完成",
  thinking: "思考中",
  noted: "已记下",
  waiting: "等待更多内容",
  "rolled-back": "已撤回",
  cut: "被截断",
  drafting: "起草中",
  drafted: "已入草稿",
  rewritten: "已改写",
  unchanged: "已读：无变化",
};

export const LANE_STATUS = {
  queued: "等待轮到",
  reading: "正在读提示",
  writing: "正在写",
  done: "完成",
  interrupted: "被打断",
  stopped: "已停止",
  failed: "失败",
};

export const TURN = {
  title: "本轮",
  asked: "您问",
  bars: "各通道用时",
  before: "回车之前的思考",
  first: "回车到第一个词",
  rest: "书写",
  notes: (notes) => `回车之前写了 ${count(notes, "条笔记")}`,
  drafts: (steps) => `回车之前已分 ${count(steps, "步")}开始回答`,
  headline: (saved, reduction) =>
    `比常规方式${saved >= 0 ? "早" : "晚"} ${seconds(Math.abs(saved))} 完成（${percent(-reduction)}）`,
  waits: "等待",
  again: "再问一次",
  edit: "修改并重发",
  compare: "标出差异",
  failed: "失败",
};

export const PANE = {
  after: "回车之后",
  sofar: "至今",
  versus: (reduction) => `较常规 ${percent(-reduction)}`,
  underlined: "下划线",
  drafted: "：由前瞻起草，经模型确认",
  marked: "标记",
  different: "：第一个回答中没有",
  copy: "复制",
  copied: "已复制",
  copyOf: (title) => `复制“${title}”的回答`,
  retry: "重试",
  retryOf: (title) => `让${title}重新作答`,
  stop: "停止",
  stopOf: (title) => `停止${title}`,
  idle: (title) => `${title}的回答将显示在这里。`,
  queued: "在其他通道之后运行，以免互相拖慢。",
  reading: "正在读提示…",
  stopped: "在第一个词之前停止。",
  interrupted: "在第一个词之前被打断。",
  failed: "没有回答：出了差错。",
  tokens,
  first: "第一个词",
  complete: "完整回答",
  speed: "速度",
  answer: "回答",
  lookahead: "前瞻",
  forwards: (each, saved) => `每次前向 ${each.toFixed(2)} 个词元 · 省下 ${count(saved, "次前向")}`,
  cache: "结束时的缓存",
  cached: (positions, megabytes, saved) =>
    `${count(positions, "个位置")}，${megabytes} MB${saved === null ? "" : `（较逐词 ${percent(-saved)}）`}`,
  prompt: "提示",
  read: "回车后读取",
  ready: "回车时已备",
  thought: "回车前思考",
  wasted: "丢弃",
  waited: "等待一步停下",
};

export const NOTES = {
  title: "打字时的笔记",
  list: "笔记",
  drafts: "每一段给回答带来了什么",
  parts: "提示的各段",
  states: { running: "思考中", done: "已记下", cut: "被截断", "rolled-back": "已撤回", drafting: "起草中", drafted: "已起草", rewritten: "已改写", unchanged: "无变化" },
};

export const BEGUN = { title: "回答：按 Enter 之前已开始写" };

export const HISTORY = {
  title: "本对话的先前各轮",
  edit: "修改并重发",
  branch: "在从此处继续的新对话中；本对话会保留。",
};

export const TABS = { title: "显示的通道" };
