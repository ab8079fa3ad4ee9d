import * as answers from "./ja/answers.js";
import * as errors from "./ja/errors.js";
import * as options from "./ja/options.js";
import * as page from "./ja/page.js";
import * as panels from "./ja/panels.js";
import * as timeline from "./ja/timeline.js";

export default { ...answers, ...errors, ...options, ...page, ...panels, ...timeline };
