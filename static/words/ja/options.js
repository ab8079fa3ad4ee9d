// The options drawer.

export const DRAWER = {
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
    noDraft: "無効：このモードでは下書きをしません。",
    noGate: "無効：考えるかどうかを問うのは append 形式だけです。",
    greedy: "無効：温度 0 では常に最もありそうな語を選びます。",
    noSpeculation: "無効：Enter の前に回答を始めません。",
  },
};

export const OPTIONS = {
  models: {
    label: "組み合わせを選ぶ",
    help: "大きいモデルと小さいモデル。別のモデルは選んだときに読み込まれ、下書きは考え直されます。",
  },
  mode: {
    label: "すること",
    help: "メモは回答を変えます。下書きは入力とともに進み、Enter の時点でまだ成り立つ部分が残ります。同一回答は通常の回答が早まるだけです。何もしない：文を送りません。",
    values: { infer: "メモを取る", draft: "回答を下書きする", exact: "同一回答を用意する", off: "何もしない" },
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
  draft_threshold: { label: "下書きの厳しさ", help: "下書きの語は、最も確からしい語に比べてこの割合以上なら残ります。1：最も確からしい語だけ。" },
  answered_by: {
    label: "回答者",
    help: "LiveMind の回答を書くモデル。メモと下書きは常に大きいモデルです。",
    values: { live: "大きいモデル", "live-slm": "小さいモデル" },
  },
  compared: {
    label: "比較対象",
    help: "LiveMind の後に一つずつ答え、所要を測ります。",
    values: { conventional: "通常方式", slm: "小さいモデルのみ", exact: "同一回答", "exact-slm": "同一回答（小）", "llm-to-slm": "導かれた小モデル" },
  },
  max_tokens: { label: "回答の最大長", help: "トークン数。" },
  lookahead: { label: "先読み", help: "数語を一度に下書きし、モデルが確かめます。回答は変わりません。" },
  sentence_vae: {
    label: "SentenceVAE",
    help: "対応するモデルは、古い文を数個のベクトルとして読むか、文を丸ごと書きます。回答とその質は変わります。",
    values: { off: "オフ", sllm: "文ごと", hybrid: "圧縮した文脈" },
  },
  temperature: { label: "温度", help: "0 は常に最もありそうな語。大きいほど多様です。" },
  top_p: { label: "Top p", help: "合計がこの確率になる語だけ。1：すべて。" },
  top_k: { label: "Top k", help: "上位この数の語だけ。0：すべて。" },
  seed: { label: "シード", help: "同じ数なら同じ回答。なし：毎回変わります。" },
  repetition_penalty: { label: "繰り返しの抑制", help: "既出の語への抑制。1：なし。" },
  speculate_tokens: { label: "一つのプロンプトの先答え", help: "Enter の前に始める回答のトークン数。0：なし。" },
  speculate_per_minute: { label: "毎分の先答え", help: "同じく、すべてのプロンプトとレーンの合計。" },
};
