// The page itself: models, composer, first minute, status line.
import { LANES } from "./answers.js";
import { count, tokens } from "./counts.js";

export const MODEL_STATES = { missing: "尚未就位", fetching: "下载中", loading: "载入内存中", ready: "就绪", failed: "失败" };

export const ROLES = { llm: "大模型", slm: "小模型" };

export const MODELS = {
  chosen: "由启动服务器的人选择：livemind serve --preset，或 --llm 和 --slm；用 --offer 可在这里选择。",
  list: "模型",
  failed: "有一个模型无法载入：见下方。",
  loading: "模型正在准备；您已经可以打字。",
};

export const PAGE = {
  tagline: "您打字时它就在思考，答案因此来得更早。",
  history: "运行历史",
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

export const DROP = {
  binary: (name) => `${name} 不是纯文本；输入框没有改动。`,
  long: (name) => `${name} 对一个提示来说太长；输入框没有改动。`,
};

export const EXAMPLES = [
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

export const INTRO = {
  title: "有何特别",
  line: "别的聊天在您按下回车后才开始工作。这里在您打字时就阅读和思考，并显示省下了多少时间。",
  watch: "替我输入一个例子",
  examples: "例子",
};

export const CONSENT = { label: "边打字边思考", open: "开：未写完的文字会随打字发往服务器", closed: "关：回车之前什么都不发送" };

export const STATUS = {
  offline: "离线。您的文字保留在此，恢复连接后发送。",
  off: "边打字边思考已关闭：回车之前什么都不发送。",
  thinking: (part, of) => `正在思考第 ${part} 段，共 ${of} 段。`,
  drafting: "正在起草。按回车保留仍然成立的部分。",
  ahead: "正在预答。按回车显示已有的部分。",
  ready: (ready) => `回答已备好：${tokens(ready)}。按回车显示。`,
  starting: "正在开始…",
  lane: (name, status) => `${LANES[name].title}：${status}。`,
  noted: (notes) => `就绪：已写 ${count(notes, "条笔记")}。按回车发送。`,
  listening: "正在听。回车发送，Shift+回车换行。",
  answered: "所有回答都已到。请继续提问，或开始新对话。",
  idle: "就绪。请开始打字。",
};

export const HELP = {
  title: "键盘",
  close: "关闭",
  byKey: "按 ? 键打开此表",
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

export const SPEECH = {
  start: "说话",
  stop: "停止聆听",
  title: "用说话代替打字？",
  warning: "浏览器会把语音转成文字，为此可能把您说的话发送给浏览器厂商。LiveMind 只得到文字，如同您打字一样。",
  agree: "开始聆听",
  refuse: "暂不",
  failed: "浏览器无法把语音转成文字。",
  errors: {
    "not-allowed": "浏览器不允许本页使用麦克风。",
    "service-not-allowed": "此浏览器不为本页提供语音识别。",
    "audio-capture": "没有麦克风。",
    network: "无法连接浏览器的语音识别服务。",
    "no-speech": "没有听到声音。",
    "language-not-supported": "浏览器不支持这种语言的语音。",
  },
};
