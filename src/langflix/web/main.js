/** Puts the page's parts together. */

import { translatePage } from "./i18n.js";
import { startJobs } from "./jobs.js";
import { closeLesson, showLesson, startLesson } from "./lesson.js";
import { letIn } from "./login.js";
import { startMedia } from "./media.js";
import { startSearch } from "./search.js";
import { startSettings } from "./settings.js";
import { startUpload } from "./upload.js";

let jobs;
const refresh = () => jobs?.refresh();

translatePage();
startSettings();
startUpload(refresh);
startLesson();
const share = await letIn();
jobs = startJobs({ onOpen: showLesson, onGone: closeLesson });
startSearch(jobs.filter);
if (share) startMedia(refresh);
