// What lies below the answers: chats and runs.
import { seconds } from "../../numbers.js";
import { LANES } from "./answers.js";
import { count } from "./counts.js";

export const CHATS = {
  title: "对话",
  hint: "只保存在此浏览器中。",
  export: "导出对话",
  import: "导入对话",
  csv: "数据导出为 CSV",
  json: "数据导出为 JSON",
  png: "对比导出为 PNG",
  rename: "重命名",
  remove: "删除",
  name: "对话名称",
  sure: (title) => `删除“${title}”？别处没有副本。`,
  when: (turns, at) => `${count(turns, "轮")} · ${at.toLocaleString("zh")}`,
  unreadable: "此文件不含 LiveMind 的对话；没有任何改动。",
  brought: (chats) => `已导入 ${count(chats, "个对话")}。`,
  refused: "浏览器无法保存或取回对话：存储已满，或对此页面关闭。",
};

export const RUNS = {
  title: "本对话的各次运行",
  columns: ["通道", "次数", "第一个词，中位数", "完整回答，中位数", "较常规，中位数", "丢弃的词元"],
  axis: "提示的字符数 → 完整回答所需时间",
  described: (runs) => `${count(runs, "个回答")}：按提示长度看完整回答所需时间`,
  point: (lane, length, latency) => `${LANES[lane].title}：${count(length, "个字符")}，${seconds(latency)}`,
};

export const BENCHMARK = {
  title: "用我的提示运行基准测试",
  label: "您的提示，每行一个",
  placeholder: "安娜有五个苹果。她给了本两个。还剩几个？",
  hint: "每个提示以每分钟 240 个字符的速度输入，并在各自的会话中由选项里的每个通道作答。打字是模拟的，无计算时不占时间。期间聊天会干扰计时。",
  start: "运行",
  cancel: "取消",
  report: "下载报告",
  progress: "已测的回答",
  figures: "基准测试的数据",
  told: {
    idle: () => "",
    running: (done, total) => `已测 ${done} / ${count(total, "个回答")}`,
    done: (done) => `已测 ${count(done, "个回答")}。`,
    cancelled: () => "已取消，未保留任何结果。",
    failed: () => "",
  },
  columns: ["通道", "提示数", "首词，中位数", "完整回答，均值", "95 % 区间", "与常规相比", "每次丢弃的词元"],
};

export const INSPECTOR = {
  title: "查看 SentenceVAE",
  hint: "一个句子变成几个向量，再仅凭这些向量写出来。",
  first: "一段文字",
  example: "The bakery bakes 120 rolls in the morning.",
  second: "另一个句子",
  other: "By noon it has sold half of them.",
  encode: "编码并解码",
  blend: "从第一句到第二句",
  returned: "还原的句子",
  between: "两句之间",
  computing: "计算中…",
  latent: (index, count) => `向量 ${index} / ${count}`,
  right: (right, tokens, latents) => `${right} / ${count(tokens, "个词元")}正确，来自 ${count(latents, "个向量")}`,
};
