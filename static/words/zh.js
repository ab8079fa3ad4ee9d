import * as answers from "./zh/answers.js";
import * as options from "./zh/options.js";
import * as page from "./zh/page.js";
import * as panels from "./zh/panels.js";
import * as timeline from "./zh/timeline.js";

export default { ...answers, ...options, ...page, ...panels, ...timeline };
