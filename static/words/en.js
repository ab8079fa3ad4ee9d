import * as answers from "./en/answers.js";
import * as errors from "./en/errors.js";
import * as options from "./en/options.js";
import * as page from "./en/page.js";
import * as panels from "./en/panels.js";
import * as timeline from "./en/timeline.js";

export default { ...answers, ...errors, ...options, ...page, ...panels, ...timeline };
