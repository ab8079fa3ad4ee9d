import { percent, rate, seconds, whole } from "../numbers.js";

const count = (number, thing) => `${whole(number)}${thing}`;
const tokens = (number) => count(number, " トークン");

const LANES = {
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

const SEGMENTS = {
  typing: "入力中",
  finished: "完了",
  thinking: "思考中",
  noted: "メモ済み",
  waiting: "続きを待つ",
  "rolled-back": "取り消し",
  cut: "中断",
};

const LANE_STATUS = {
  queued: "順番待ち",
  reading: "プロンプトを読解中",
  writing: "記述中",
  done: "完了",
  interrupted: "割り込みあり",
  stopped: "停止",
  failed: "失敗",
};

const MODEL_STATES = {
  missing: "未取得",
  fetching: "ダウンロード中",
  loading: "メモリに読み込み中",
  ready: "準備完了",
  failed: "失敗",
};
const ROLES = { llm: "大きいモデル", slm: "小さいモデル" };
const MODELS = {
  list: "モデル",
  failed: "読み込めないモデルがあります。上をご覧ください。",
  loading: "モデルを準備中です。もう入力できます。",
};

const PAGE = {
  tagline: "入力中に考えるので、答えが早く届きます。",
  tools: "ページ",
  language: "言語",
  dark: "明暗を切り替える",
  help: "キーボードショートカット",
  prompt: "プロンプト",
  placeholder: "数文を入力してください…",
  new: "新しいチャット",
  stop: "停止",
  send: "送信",
  connecting: "接続中です。つながり次第プロンプトを送信します。",
  renewed: "サーバーがこのセッションを終了したため、新しく始めました。入力は残っています。",
};

const DROP = {
  binary: (name) => `${name} はプレーンテキストではありません。入力欄は変わっていません。`,
  long: (name) => `${name} は一つのプロンプトには長すぎます。入力欄は変わっていません。`,
};

const EXAMPLES = [
  {
    name: "文章題",
    text: "あるパン屋は毎朝240個のパンを焼きます。昼までにその三分の二が売れます。午後は残りの半分が売れ、さらに五個を家族に渡します。夕方に残るパンは何個ですか？",
  },
  {
    name: "二つの列車",
    text: "列車が九時に甲駅を出て時速80キロで走ります。300キロ離れた乙駅から十時に別の列車が時速120キロで向かってきます。どちらも速度を保ち、止まりません。いつどこで出会いますか？",
  },
  {
    name: "旅の計画",
    text: "大人二人と六歳の子どもです。五月のリスボンで四日間、電車と徒歩だけで回ります。小さな美術館が好きで、子どもは船が好きです。毎日どう過ごしますか？",
  },
  {
    name: "バグを探す",
    text: "私のPython関数はリストの最大の数を返すはずです。best = 0から始めてリストを順に見ます。bestより大きい数があれば置き換えます。リスト[-3, -1, -7]では0を返します。どこが間違いで、どう直しますか？",
  },
];

const INTRO = {
  title: "特長",
  line: "ほかのチャットは Enter を押してから働き始めます。ここでは入力中に読んで考え、どれだけ早くなったかを示します。",
  watch: "例を入力して見せる",
  stop: "入力を止める",
  examples: "例",
};

const CONSENT = {
  label: "入力中に考える",
  open: "オン：書きかけの文も入力と同時にサーバーへ送ります",
  closed: "オフ：Enter の前には何も送りません",
};

const DRAWER = {
  title: "オプション",
  groups: { typing: "入力中", answers: "回答", sampling: "サンプリング", budgets: "予算" },
  copy: "この設定のリンクをコピー",
  copied: "リンクをコピーしました。",
  reset: "既定値に戻す",
  none: "なし",
  refused: (names) => `リンクに使えない指定があります：${names.join("、")}。ほかは有効です。`,
  off: {
    still: "無効：入力中は何もしません。",
    noNotes: "無効：このモードではメモを取りません。",
    noGate: "無効：考えるかどうかを問うのは append 形式だけです。",
    greedy: "無効：温度 0 では常に最もありそうな語を選びます。",
    noSpeculation: "無効：Enter の前に回答を始めません。",
  },
};

const OPTIONS = {
  mode: {
    label: "すること",
    help: "メモは回答を変えます。同一回答は通常の回答が早まるだけです。何もしない：文を送りません。",
    values: { infer: "メモを取る", exact: "同一回答を用意する", off: "何もしない" },
  },
  granularity: {
    label: "粒度",
    help: "どこまで書けたら考えるか。",
    values: { char: "文字", word: "単語", sentence: "文", clause: "節" },
  },
  min_length: { label: "最小の長さ", help: "一区切りの最少文字数。" },
  format: {
    label: "形式",
    help: "プロンプトとメモをモデルにどう並べるか。",
    values: {
      append: "append：文の後にメモ",
      "u-pi": "u-pi：プロンプト、次にメモ",
      "u-pli": "u-pli：プロンプト、最後の文、メモ",
      "u-spi": "u-spi：各文とそのメモ",
      "ua-pil": "ua-pil：プロンプトとメモ、最後の文は別",
      "ua-spi": "ua-spi：文とメモを会話として",
    },
  },
  note_tokens: { label: "メモの最大長", help: "トークン数。速く打つと短くなります。" },
  think_threshold: { label: "考える度合い", help: "待つより考える確率がこれ以上ならメモを書きます。" },
  answered_by: {
    label: "回答者",
    help: "LiveMind の回答を書くモデル。メモは常に大きいモデルです。",
    values: { live: "大きいモデル", "live-slm": "小さいモデル" },
  },
  compared: {
    label: "比較対象",
    help: "LiveMind の後に一つずつ答え、所要を測ります。",
    values: { conventional: "通常方式", slm: "小さいモデルのみ", exact: "同一回答", "exact-slm": "同一回答（小）", "llm-to-slm": "導かれた小モデル" },
  },
  max_tokens: { label: "回答の最大長", help: "トークン数。" },
  lookahead: { label: "先読み", help: "数語を一度に下書きし、モデルが確かめます。回答は変わりません。" },
  temperature: { label: "温度", help: "0 は常に最もありそうな語。大きいほど多様です。" },
  top_p: { label: "Top p", help: "合計がこの確率になる語だけ。1：すべて。" },
  top_k: { label: "Top k", help: "上位この数の語だけ。0：すべて。" },
  seed: { label: "シード", help: "同じ数なら同じ回答。なし：毎回変わります。" },
  repetition_penalty: { label: "繰り返しの抑制", help: "既出の語への抑制。1：なし。" },
  speculate_tokens: { label: "一つのプロンプトの先答え", help: "Enter の前に始める回答のトークン数。0：なし。" },
  speculate_per_minute: { label: "毎分の先答え", help: "同じく、すべてのプロンプトとレーンの合計。" },
};

const HELP = {
  title: "キーボード",
  close: "閉じる",
  keys: [
    [["Enter"], "送信"],
    [["Shift", "Enter"], "改行"],
    [["Esc"], "回答、または例の自動入力を止める"],
    [["↑"], "空の入力欄で：直前のプロンプトを戻す"],
    [["?"], "入力欄の外で：この一覧"],
    [["←", "→", "↑", "↓"], "タイムラインで：次へ移る"],
    [["+", "−", "Home"], "タイムラインで：拡大・縮小、全体"],
  ],
};

const CHATS = {
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

const RUNS = {
  title: "このチャットの計測",
  columns: ["レーン", "回数", "最初の語（中央値）", "回答の完了（中央値）", "通常比（中央値）", "破棄したトークン"],
  axis: "プロンプトの文字数 → 回答完了までの時間",
  described: (runs) => `${count(runs, " 件の回答")}：プロンプトの長さごとの完了までの時間`,
  point: (lane, length, latency) => `${LANES[lane].title}：${count(length, " 文字")}、${seconds(latency)}`,
};

const STATUS = {
  offline: "オフラインです。文はここに残り、つながると送ります。",
  off: "入力中の思考はオフ：Enter の前には何も送りません。",
  thinking: (part, of) => `${of} 区切り中 ${part} 番目を考えています。`,
  ahead: (ready) => `先に回答中：${tokens(ready)}。Enter で表示します。`,
  ready: (ready) => `回答の準備ができました：${tokens(ready)}。Enter で表示します。`,
  starting: "開始しています…",
  lane: (name, status) => `${LANES[name].title}：${status}。`,
  noted: (notes) => `準備完了：メモ ${count(notes, " 件")}。Enter で送信。`,
  listening: "聞いています。Enter で送信、Shift+Enter で改行。",
  answered: "すべての回答がそろいました。続けて尋ねるか、新しいチャットを始めてください。",
  idle: "準備完了。入力してください。",
};

const TURN = {
  title: "この回",
  asked: "質問",
  bars: "レーンごとの時間",
  before: "Enter 前の思考",
  first: "Enter から最初の語まで",
  rest: "記述",
  notes: (notes) => `Enter 前に書いたメモ ${count(notes, " 件")}`,
  headline: (saved, reduction) =>
    `通常方式より ${seconds(Math.abs(saved))} ${saved >= 0 ? "早く" : "遅く"}完了（${percent(-reduction)}）`,
  waits: "待機",
  again: "もう一度尋ねる",
  edit: "編集して再送",
  compare: "違いを示す",
  failed: "失敗",
};

const PANE = {
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
  prompt: "プロンプト",
  read: "Enter 後に読んだ量",
  ready: "Enter 時に用意済み",
  thought: "Enter 前の思考",
  wasted: "破棄",
  waited: "処理の停止待ち",
};

const NOTES = {
  title: "入力中のメモ",
  list: "メモ",
  parts: "プロンプトの区切り",
  cut: "中断",
  "rolled-back": "取り消し",
};
const HISTORY = { title: "このチャットの以前の回" };
const TABS = { title: "表示するレーン" };

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
  discarded: "破棄：文が変わりました",
  interrupted: "別のセッションが割り込み",
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

const TIMELINE = {
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
