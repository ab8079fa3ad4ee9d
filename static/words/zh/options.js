// The options drawer.

export const DRAWER = {
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
    noDraft: "无效：此模式不起草。",
    noGate: "无效：只有格式 append 会询问是否思考。",
    greedy: "无效：温度为 0 时总取最可能的词。",
    noSpeculation: "无效：回车之前不开始作答。",
  },
};

export const OPTIONS = {
  models: {
    label: "选择一对",
    help: "大模型和小模型。选择其他模型时才载入；草稿会重新思考。",
  },
  mode: {
    label: "做什么",
    help: "笔记会改变回答；草稿随文字推进，回车时保留仍然成立的部分；精确回答就是常规回答，只是更早。什么都不做：不发送文字。",
    values: { infer: "做笔记", draft: "起草回答", exact: "预备精确回答", off: "什么都不做" },
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
  draft_threshold: { label: "草稿的严格度", help: "草稿中的词与最可能的词相比至少要有这么可能，才会保留。1：只留最可能的词。" },
  answered_by: {
    label: "由谁回答",
    help: "谁来写 LiveMind 的回答；笔记和草稿总是大模型的。",
    values: { live: "大模型", "live-slm": "小模型" },
  },
  compared: {
    label: "比较对象",
    help: "在 LiveMind 之后逐个回答，以测量其代价。",
    values: { conventional: "常规方式", slm: "仅小模型", exact: "精确", "exact-slm": "精确（小模型）", "llm-to-slm": "引导小模型" },
  },
  max_tokens: { label: "最长回答", help: "以词元计。" },
  lookahead: { label: "前瞻", help: "一次起草数个词，由模型逐一确认。回答不变。" },
  sentence_vae: {
    label: "SentenceVAE",
    help: "具备它的模型把旧句子读作几个向量，或整句书写。回答及其质量会改变。",
    values: { off: "关闭", sllm: "整句", hybrid: "压缩上下文" },
  },
  temperature: { label: "温度", help: "0 总取最可能的词；越大越多样。" },
  top_p: { label: "Top p", help: "只取合计达到此概率的最可能的词。1：全部。" },
  top_k: { label: "Top k", help: "只取这么多最可能的词。0：全部。" },
  seed: { label: "种子", help: "同一数字给出同一回答。无：每次不同。" },
  repetition_penalty: { label: "重复惩罚", help: "对已说过的词的惩罚。1：无。" },
  speculate_tokens: { label: "每个提示的预答", help: "回车之前开始的回答的词元数。0：无。" },
  speculate_per_minute: { label: "每分钟的预答", help: "同上，所有提示与通道合计。" },
};
