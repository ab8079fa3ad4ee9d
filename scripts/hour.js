// An hour at the page, as its timeline records it: 120 prompts of 75 keystrokes, five notes each, and 120 answers.
(Record) => {
  const record = new Record();
  const metrics = { ttft: 0.4, latency: 8, tokens: 60, tokens_per_s: 8, overhead_s: 0 };
  let revision = 0;
  for (let turn = 1; turn <= 120; turn++) {
    const start = turn * 30;
    const segments = [];
    for (let key = 0; key < 75; key++) {
      const [index, at] = [Math.floor(key / 15), start + key / 5];
      segments[index] = { text: (segments[index]?.text ?? "") + "x", finished: false };
      if (index) segments[index - 1].finished = true;
      const drafted = segments.map((one) => ({ ...one }));
      record.see({ type: "segments", at, revision: ++revision, kept: index, segments: drafted });
      const thought = { type: "action", first: index, index, kind: "inference", seconds: 1, tokens: 9 };
      record.see({ ...thought, at, delta: "n", status: key % 15 === 14 ? "done" : "running" });
    }
    record.see({ type: "turn", at: start + 16, id: turn, done: false, prompt: "x", lanes: ["live"] });
    const lane = { type: "lane", turn, lane: "live" };
    record.see({ ...lane, at: start + 16, started_at: start + 16, status: "running", metrics: null });
    for (let token = 0; token < 60; token++) {
      record.see({ type: "answer", at: start + 16.4 + token / 8, turn, lane: "live", delta: "word " });
    }
    record.see({ ...lane, at: start + 24, status: "done", metrics });
  }
  return record;
};
