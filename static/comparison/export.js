// The comparison of a chat's lanes, as files.
import { download, downloadText } from "../download.js";
import { paletteOf } from "../palette.js";
import { pictureOf } from "./picture.js";
import { comparison, csv } from "./rows.js";

export const exportFigures = {
  csv: (turns) => downloadText("livemind-comparison.csv", "text/csv", csv(comparison(turns))),
  json: (turns) => downloadText("livemind-comparison.json", "application/json", JSON.stringify(comparison(turns), null, 1)),
  png: async (turns) => {
    const canvas = pictureOf(turns.at(-1), paletteOf(document.querySelector("#lm-turn .lm-mount")));
    download("livemind-comparison.png", await canvas.convertToBlob({ type: "image/png" }));
  },
};
