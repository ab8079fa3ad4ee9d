import * as answers from "./zh/answers.js";
import * as errors from "./zh/errors.js";
import * as options from "./zh/options.js";
import * as page from "./zh/page.js";
import * as panels from "./zh/panels.js";
import * as timeline from "./zh/timeline.js";

export default { ...answers, ...errors, ...options, ...page, ...panels, ...timeline };
