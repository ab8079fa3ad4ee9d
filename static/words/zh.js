import { percent, rate, seconds, whole } from "../numbers.js";

const count = (number, thing) => `${whole(number)} ${thing}`;
const tokens = (number) => count(number, "个词元");

const LANES = {
  live: { title: "LiveMind", hint: "在您打字时已开始工作，由大模型作答", bar: "LiveMind" },
  "live-slm": { title: "LiveMind + 小模型", hint: "大模型在您打字时工作，由小模型作答", bar: "LiveMind + 小" },
  exact: { title: "精确", hint: "与常规回答相同，但在回车之前就开始", bar: "精确" },
  "exact-slm": { title: "精确（小模型）", hint: "小模型自己的回答，在回车之前就开始", bar: "精确·小" },
  "llm-to-slm": { title: "引导小模型", hint: "大模型在你输入时阅读，小模型根据它的理解来写", bar: "引导·小" },
  conventional: { title: "常规方式", hint: "大模型在回车之后才读完整的提示", bar: "常规" },
  slm: { title: "仅小模型", hint: "在回车之后才读完整的提示", bar: "仅小模型" },
};

const SEGMENTS = {
  typing: "输入中",
  finished: "已完成",
  thinking: "思考中",
  noted: "已记下",
  waiting: "等待更多内容",
  "rolled-back": "已撤回",
  cut: "被截断",
};

const LANE_STATUS = {
  queued: "等待轮到",
  reading: "正在读提示",
  writing: "正在写",
  done: "完成",
  interrupted: "被打断",
  stopped: "已停止",
  failed: "失败",
};

const MODEL_STATES = { missing: "尚未就位", fetching: "下载中", loading: "载入内存中", ready: "就绪", failed: "失败" };
const ROLES = { llm: "大模型", slm: "小模型" };
const MODELS = { list: "模型", failed: "有一个模型无法载入：见上方。", loading: "模型正在准备；您已经可以打字。" };

const PAGE = {
  tagline: "您打字时它就在思考，答案因此来得更早。",
  tools: "页面",
  language: "语言",
  dark: "切换明暗",
  help: "键盘快捷键",
  prompt: "您的提示",
  placeholder: "请输入几句话…",
  new: "新对话",
  stop: "停止",
  send: "发送",
  connecting: "仍在连接；连上后立即发送您的提示。",
  renewed: "服务器已结束此会话，新的会话已开始。您的文字已保留。",
};

const DROP = {
  binary: (name) => `${name} 不是纯文本；输入框没有改动。`,
  long: (name) => `${name} 对一个提示来说太长；输入框没有改动。`,
};

const EXAMPLES = [
  {
    name: "应用题",
    text: "一家面包店每天早上烤240个面包。中午之前卖掉了三分之二。下午又卖掉剩下的一半，另外五个给了店主的家人。晚上还剩多少个面包？",
  },
  {
    name: "两列火车",
    text: "一列火车九点从甲城出发，时速80公里。另一列火车十点从300公里外的乙城迎面开来，时速120公里。两车速度不变，中途不停。它们何时何地相遇？",
  },
  {
    name: "计划旅行",
    text: "我们是两个大人和一个六岁的孩子。五月在里斯本有四天时间，只坐火车和步行。我们喜欢小博物馆，孩子喜欢船。每一天您会怎么安排？",
  },
  {
    name: "找出错误",
    text: "我的Python函数应返回列表中最大的数。它从best = 0开始，逐个查看列表。遇到大于best的数，就用它替换best。对列表[-3, -1, -7]它返回0。哪里错了，怎么改？",
  },
];

const INTRO = {
  title: "有何特别",
  line: "别的聊天在您按下回车后才开始工作。这里在您打字时就阅读和思考，并显示省下了多少时间。",
  watch: "替我输入一个例子",
  stop: "停止输入",
  examples: "例子",
};

const CONSENT = { label: "边打字边思考", open: "开：未写完的文字会随打字发往服务器", closed: "关：回车之前什么都不发送" };

const DRAWER = {
  title: "选项",
  groups: { typing: "打字时", answers: "回答", sampling: "采样", budgets: "预算" },
  copy: "复制带有这些选项的链接",
  copied: "链接已复制。",
  reset: "恢复默认值",
  none: "无",
  refused: (names) => `链接要求了不可能的选项：${names.join("、")}。其余有效。`,
  off: {
    still: "无效：打字时什么都不做。",
    noNotes: "无效：此模式不做笔记。",
    noGate: "无效：只有格式 append 会询问是否思考。",
    greedy: "无效：温度为 0 时总取最可能的词。",
    noSpeculation: "无效：回车之前不开始作答。",
  },
};

const OPTIONS = {
  mode: {
    label: "做什么",
    help: "笔记会改变回答；精确回答就是常规回答，只是更早。什么都不做：不发送文字。",
    values: { infer: "做笔记", exact: "预备精确回答", off: "什么都不做" },
  },
  granularity: {
    label: "粒度",
    help: "什么写完之后才去思考。",
    values: { char: "字符", word: "词", sentence: "句子", clause: "分句" },
  },
  min_length: { label: "最短长度", help: "一段至少有多少字符。" },
  format: {
    label: "格式",
    help: "提示与笔记如何排给模型。",
    values: {
      append: "append：笔记跟在句子之后",
      "u-pi": "u-pi：先提示，后笔记",
      "u-pli": "u-pli：提示、最后一句、笔记",
      "u-spi": "u-spi：每句带其笔记",
      "ua-pil": "ua-pil：提示与笔记，最后一句分开",
      "ua-spi": "ua-spi：句子与笔记作为对话",
    },
  },
  note_tokens: { label: "最长笔记", help: "以词元计；打字快时更少。" },
  think_threshold: { label: "思考意愿", help: "思考相对等待要有多大可能，才写一条笔记。" },
  answered_by: {
    label: "由谁回答",
    help: "谁来写 LiveMind 的回答；笔记总是大模型的。",
    values: { live: "大模型", "live-slm": "小模型" },
  },
  compared: {
    label: "比较对象",
    help: "在 LiveMind 之后逐个回答，以测量其代价。",
    values: { conventional: "常规方式", slm: "仅小模型", exact: "精确", "exact-slm": "精确（小模型）", "llm-to-slm": "引导小模型" },
  },
  max_tokens: { label: "最长回答", help: "以词元计。" },
  lookahead: { label: "前瞻", help: "一次起草数个词，由模型逐一确认。回答不变。" },
  temperature: { label: "温度", help: "0 总取最可能的词；越大越多样。" },
  top_p: { label: "Top p", help: "只取合计达到此概率的最可能的词。1：全部。" },
  top_k: { label: "Top k", help: "只取这么多最可能的词。0：全部。" },
  seed: { label: "种子", help: "同一数字给出同一回答。无：每次不同。" },
  repetition_penalty: { label: "重复惩罚", help: "对已说过的词的惩罚。1：无。" },
  speculate_tokens: { label: "每个提示的预答", help: "回车之前开始的回答的词元数。0：无。" },
  speculate_per_minute: { label: "每分钟的预答", help: "同上，所有提示与通道合计。" },
};

const HELP = {
  title: "键盘",
  close: "关闭",
  keys: [
    [["Enter"], "发送"],
    [["Shift", "Enter"], "换行"],
    [["Esc"], "停止回答，或停止自动输入的例子"],
    [["↑"], "在空的输入框中：取回上一个提示"],
    [["?"], "在输入框之外：显示此表"],
    [["←", "→", "↑", "↓"], "在时间轴上：逐个移动"],
    [["+", "−", "Home"], "在时间轴上：缩放，显示全部"],
  ],
};

const CHATS = {
  title: "对话",
  hint: "只保存在此浏览器中。",
  export: "导出对话",
  import: "导入对话",
  csv: "数据导出为 CSV",
  json: "数据导出为 JSON",
  rename: "重命名",
  remove: "删除",
  name: "对话名称",
  sure: (title) => `删除“${title}”？别处没有副本。`,
  when: (turns, at) => `${count(turns, "轮")} · ${at.toLocaleString("zh")}`,
  unreadable: "此文件不含 LiveMind 的对话；没有任何改动。",
  brought: (chats) => `已导入 ${count(chats, "个对话")}。`,
  refused: "浏览器无法保存或取回对话：存储已满，或对此页面关闭。",
};

const RUNS = {
  title: "本对话的各次运行",
  columns: ["通道", "次数", "第一个词，中位数", "完整回答，中位数", "较常规，中位数", "丢弃的词元"],
  axis: "提示的字符数 → 完整回答所需时间",
  described: (runs) => `${count(runs, "个回答")}：按提示长度看完整回答所需时间`,
  point: (lane, length, latency) => `${LANES[lane].title}：${count(length, "个字符")}，${seconds(latency)}`,
};

const STATUS = {
  offline: "离线。您的文字保留在此，恢复连接后发送。",
  off: "边打字边思考已关闭：回车之前什么都不发送。",
  thinking: (part, of) => `正在思考第 ${part} 段，共 ${of} 段。`,
  ahead: (ready) => `正在预答：已有 ${tokens(ready)}。按回车显示。`,
  ready: (ready) => `回答已备好：${tokens(ready)}。按回车显示。`,
  starting: "正在开始…",
  lane: (name, status) => `${LANES[name].title}：${status}。`,
  noted: (notes) => `就绪：已写 ${count(notes, "条笔记")}。按回车发送。`,
  listening: "正在听。回车发送，Shift+回车换行。",
  answered: "所有回答都已到。请继续提问，或开始新对话。",
  idle: "就绪。请开始打字。",
};

const TURN = {
  title: "本轮",
  asked: "您问",
  bars: "各通道用时",
  before: "回车之前的思考",
  first: "回车到第一个词",
  rest: "书写",
  notes: (notes) => `回车之前写了 ${count(notes, "条笔记")}`,
  headline: (saved, reduction) =>
    `比常规方式${saved >= 0 ? "早" : "晚"} ${seconds(Math.abs(saved))} 完成（${percent(-reduction)}）`,
  waits: "等待",
  again: "再问一次",
  edit: "修改并重发",
  compare: "标出差异",
  failed: "失败",
};

const PANE = {
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
  prompt: "提示",
  read: "回车后读取",
  ready: "回车时已备",
  thought: "回车前思考",
  wasted: "丢弃",
  waited: "等待一步停下",
};

const NOTES = { title: "打字时的笔记", list: "笔记", parts: "提示的各段", cut: "被截断", "rolled-back": "已撤回" };
const HISTORY = { title: "本对话的先前各轮" };
const TABS = { title: "显示的通道" };

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
  discarded: "已丢弃：文字变了",
  interrupted: "被另一会话打断",
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

const TIMELINE = {
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

export default {
  LANES,
  SEGMENTS,
  LANE_STATUS,
  MODEL_STATES,
  ROLES,
  MODELS,
  PAGE,
  DROP,
  EXAMPLES,
  INTRO,
  CONSENT,
  DRAWER,
  OPTIONS,
  HELP,
  CHATS,
  RUNS,
  STATUS,
  TURN,
  PANE,
  NOTES,
  HISTORY,
  TABS,
  TIMELINE,
};
