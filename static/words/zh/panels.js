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
