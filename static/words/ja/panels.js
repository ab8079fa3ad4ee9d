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
  png: "比較を PNG で保存",
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

export const BENCHMARK = {
  title: "自分のプロンプトでベンチマークを実行",
  label: "プロンプト（1 行に 1 つ）",
  placeholder: "アンナはりんごを五つ持っています。ベンに二つあげました。残りはいくつですか？",
  hint: "それぞれ毎分 240 文字で入力され、オプションの全レーンが専用のセッションで答えます。入力は模擬で、計算していない間は時間がかかりません。実行中のチャットは計測を乱します。",
  start: "実行",
  cancel: "中止",
  report: "レポートをダウンロード",
  progress: "計測した回答",
  figures: "ベンチマークの数値",
  told: {
    idle: () => "",
    running: (done, total) => `${count(total, " 件")}中 ${done} 件を計測`,
    done: (done) => `${count(done, " 件")}の回答を計測しました。`,
    cancelled: () => "中止しました。結果は残りません。",
    failed: () => "",
  },
  columns: ["レーン", "プロンプト数", "最初の語、中央値", "回答完了、平均", "95 % 区間", "通常との比較", "破棄トークン（1 回あたり）"],
};

export const INSPECTOR = {
  title: "SentenceVAE をのぞく",
  hint: "文は数個のベクトルになり、それだけから書き直されます。",
  first: "テキスト",
  example: "The bakery bakes 120 rolls in the morning.",
  second: "別の文",
  other: "By noon it has sold half of them.",
  encode: "符号化して復号",
  blend: "最初の文から次の文へ",
  returned: "復元された文",
  between: "二つの間",
  computing: "計算中…",
  latent: (index, count) => `ベクトル ${index} / ${count}`,
  right: (right, tokens, latents) => `${count(tokens, " トークン")}中 ${right} が正しい（${count(latents, " ベクトル")}から）`,
};
