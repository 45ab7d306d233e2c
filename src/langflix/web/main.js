/** Puts the page's parts together. */

import { startJobs } from "./jobs.js";
import { showLesson } from "./lesson.js";
import { startUpload } from "./upload.js";

const jobs = startJobs(showLesson);
startUpload(jobs.refresh);
