// What lies below the answers: chats and runs.
import { seconds } from "../../numbers.js";
import { LANES } from "./answers.js";
import { count } from "./counts.js";

export const CHATS = {
  title: "チャット",
  hint: "このブラウザーだけに保存されます。",
  export: "チャットを書き出す",
  import: "チャットを読み込む",
  csv: "数値を CSV で",
  json: "数値を JSON で",
  rename: "名前を変える",
  remove: "削除",
  name: "チャットの名前",
  sure: (title) => `「${title}」を削除しますか？ほかに控えはありません。`,
  when: (turns, at) => `${count(turns, " 回")} · ${at.toLocaleString("ja")}`,
  unreadable: "このファイルに LiveMind のチャットはありません。何も変えていません。",
  brought: (chats) => `${count(chats, " 件のチャット")}を読み込みました。`,
  refused: "ブラウザーがチャットを保存または取得できません。容量不足か、このページでは無効です。",
};

export const RUNS = {
  title: "このチャットの計測",
  columns: ["レーン", "回数", "最初の語（中央値）", "回答の完了（中央値）", "通常比（中央値）", "破棄したトークン"],
  axis: "プロンプトの文字数 → 回答完了までの時間",
  described: (runs) => `${count(runs, " 件の回答")}：プロンプトの長さごとの完了までの時間`,
  point: (lane, length, latency) => `${LANES[lane].title}：${count(length, " 文字")}、${seconds(latency)}`,
};
