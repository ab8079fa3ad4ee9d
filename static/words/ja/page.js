// The page itself: models, composer, first minute, status line.
import { LANES } from "./answers.js";
import { count, tokens } from "./counts.js";

export const MODEL_STATES = {
  missing: "未取得",
  fetching: "ダウンロード中",
  loading: "メモリに読み込み中",
  ready: "準備完了",
  failed: "失敗",
};

export const ROLES = { llm: "大きいモデル", slm: "小さいモデル" };

export const MODELS = {
  chosen: "サーバーの起動時に選ばれます：livemind serve --preset、または --llm と --slm。--offer があればここで選べます。",
  list: "モデル",
  failed: "読み込めないモデルがあります。下をご覧ください。",
  loading: "モデルを準備中です。もう入力できます。",
};

export const PAGE = {
  tagline: "入力中に考えるので、答えが早く届きます。",
  history: "実行履歴",
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

export const DROP = {
  binary: (name) => `${name} はプレーンテキストではありません。入力欄は変わっていません。`,
  long: (name) => `${name} は一つのプロンプトには長すぎます。入力欄は変わっていません。`,
};

export const EXAMPLES = [
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

export const INTRO = {
  title: "特長",
  line: "ほかのチャットは Enter を押してから働き始めます。ここでは入力中に読んで考え、どれだけ早くなったかを示します。",
  watch: "例を入力して見せる",
  examples: "例",
};

export const CONSENT = {
  label: "入力中に考える",
  open: "オン：書きかけの文も入力と同時にサーバーへ送ります",
  closed: "オフ：Enter の前には何も送りません",
};

export const STATUS = {
  offline: "オフラインです。文はここに残り、つながると送ります。",
  off: "入力中の思考はオフ：Enter の前には何も送りません。",
  thinking: (part, of) => `${of} 区切り中 ${part} 番目を考えています。`,
  drafting: "下書き中。Enter の時点で成り立つ部分が残ります。",
  ahead: "先に回答中。Enter でできた分を表示します。",
  ready: (ready) => `回答の準備ができました：${tokens(ready)}。Enter で表示します。`,
  starting: "開始しています…",
  lane: (name, status) => `${LANES[name].title}：${status}。`,
  noted: (notes) => `準備完了：メモ ${count(notes, " 件")}。Enter で送信。`,
  listening: "聞いています。Enter で送信、Shift+Enter で改行。",
  answered: "すべての回答がそろいました。続けて尋ねるか、新しいチャットを始めてください。",
  idle: "準備完了。入力してください。",
};

export const HELP = {
  title: "キーボード",
  close: "閉じる",
  byKey: "? キーでこの一覧を開く",
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

export const SPEECH = {
  start: "話す",
  stop: "聞き取りを止める",
  title: "入力の代わりに話しますか？",
  warning: "ブラウザが音声を文字にします。そのために話した内容を提供元へ送ることがあります。LiveMind が受け取るのは文字だけで、入力したときと同じです。",
  agree: "聞き取りを始める",
  refuse: "今はしない",
  failed: "ブラウザは音声を文字にできませんでした。",
  errors: {
    "not-allowed": "このページではマイクを使えません。",
    "service-not-allowed": "このブラウザはこのページで音声認識を使えません。",
    "audio-capture": "マイクがありません。",
    network: "ブラウザの音声認識に接続できません。",
    "no-speech": "音声が聞こえませんでした。",
    "language-not-supported": "ブラウザはこの言語の音声に対応していません。",
  },
};
