/** The page's words in English and Korean. */

const KEY = "langflix-language";

const WORDS = {
  en: {
    tagline: "Phrasal verbs and idioms, each with the moment of the film that shows it.",
    skip: "Skip to the lessons",
    language: "Language",
    theme: "Colours",
    "theme.auto": "As the device",
    "theme.light": "Light",
    "theme.dark": "Dark",
    new: "New lesson",
    film: "Film",
    subtitle: "Subtitle",
    title: "Title (optional)",
    level: "Your level",
    speak: "You speak",
    make: "Make a lesson",
    cancel: "Cancel",
    upload: "Upload",
    uploading: "Uploading…",
    storing: "Storing…",
    queued: "{name} is in the queue.",
    share: "From the media share",
    "share.new": "New on the share",
    "share.up": "Folder above",
    "share.empty": "Nothing of use in this folder.",
    "share.pick": "Choose a film and its subtitle.",
    "share.picked": "Chosen: {names}",
    lessons: "Lessons",
    search: "Search lessons and expressions",
    status: "Status",
    all: "All",
    more: "Show more",
    none: "No lesson yet. Choose a film and its subtitle to make the first one.",
    nothing: "Nothing was found.",
    loading: "Loading…",
    PENDING: "Waiting for a worker",
    RUNNING: "Working",
    DONE: "Ready",
    FAILED: "Failed",
    CANCELLED: "Cancelled",
    cancelling: "Being cancelled",
    open: "Show lesson",
    retry: "Try again",
    delete: "Delete",
    "delete.sure": "Delete {name} and its lesson?",
    progress: "Progress of {name}",
    found: "Expressions",
    close: "Close",
    "close.lesson": "Close lesson: {name}",
    "kind.collocation": "collocation",
    "kind.idiom": "idiom",
    "kind.phrasal verb": "phrasal verb",
    empty: "No expression was found in this film.",
    similar: "Similar:",
    clip: "Clip: {text}",
    "video.lesson": "The whole lesson",
    "video.short": "The short",
    token: "Access token",
    "token.why": "This server asks for a token. Whoever set it up can tell you.",
    login: "Sign in",
    logout: "Sign out",
    unreachable: "The server cannot be reached.",
    aborted: "The upload was cancelled.",
    answered: "The server answered {status}.",
    live: "Live",
    offline: "Not live; asking now and then",
  },
  ko: {
    tagline: "영화 속 구동사와 관용구를, 그 장면과 함께.",
    skip: "강의 목록으로 건너뛰기",
    language: "언어",
    theme: "색상",
    "theme.auto": "기기 설정",
    "theme.light": "밝게",
    "theme.dark": "어둡게",
    new: "새 강의",
    film: "영상",
    subtitle: "자막",
    title: "제목 (선택)",
    level: "내 수준",
    speak: "내 언어",
    make: "강의 만들기",
    cancel: "취소",
    upload: "올리기",
    uploading: "올리는 중…",
    storing: "저장하는 중…",
    queued: "{name}: 대기열에 넣었습니다.",
    share: "미디어 공유 폴더에서",
    "share.new": "공유 폴더에 새로 들어온 영상",
    "share.up": "상위 폴더",
    "share.empty": "이 폴더에는 쓸 수 있는 파일이 없습니다.",
    "share.pick": "영상과 자막을 고르세요.",
    "share.picked": "선택: {names}",
    lessons: "강의",
    search: "강의와 표현 검색",
    status: "상태",
    all: "전체",
    more: "더 보기",
    none: "아직 강의가 없습니다. 영상과 자막을 골라 첫 강의를 만들어 보세요.",
    nothing: "찾은 것이 없습니다.",
    loading: "불러오는 중…",
    PENDING: "작업 대기 중",
    RUNNING: "작업 중",
    DONE: "완료",
    FAILED: "실패",
    CANCELLED: "취소됨",
    cancelling: "취소하는 중",
    open: "강의 보기",
    retry: "다시 시도",
    delete: "삭제",
    "delete.sure": "{name} 강의를 삭제할까요?",
    progress: "{name} 진행률",
    found: "표현",
    close: "닫기",
    "close.lesson": "강의 닫기: {name}",
    "kind.collocation": "연어",
    "kind.idiom": "관용구",
    "kind.phrasal verb": "구동사",
    empty: "이 영상에서 표현을 찾지 못했습니다.",
    similar: "비슷한 표현:",
    clip: "장면: {text}",
    "video.lesson": "전체 강의",
    "video.short": "쇼츠",
    token: "접근 토큰",
    "token.why": "이 서버는 토큰이 있어야 쓸 수 있습니다. 설치한 사람에게 물어보세요.",
    login: "로그인",
    logout: "로그아웃",
    unreachable: "서버에 연결할 수 없습니다.",
    aborted: "올리기를 취소했습니다.",
    answered: "서버 응답: {status}",
    live: "실시간",
    offline: "실시간 아님, 가끔 확인",
  },
};

let language = known(read()) ?? known(navigator.language?.slice(0, 2)) ?? "en";

export const current = () => language;

/** @param {string} key @param {object} values what stands for {name} in the text */
export function t(key, values = {}) {
  const text = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** @param {string} code of a language, such as "ko"; @returns {string} its name */
export function languageName(code) {
  const names = new Intl.DisplayNames([language], { type: "language" });
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

/** @param {string} time ISO 8601 with zone; @returns {string} it in the reader's zone */
export const when = (time) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(time),
  );

/** Put the words of the chosen language into everything that has `data-i18n`. */
export function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-i18n]"))
    node.textContent = t(node.dataset.i18n);
  for (const node of document.querySelectorAll("[data-i18n-label]"))
    node.setAttribute("aria-label", t(node.dataset.i18nLabel));
}

/** @param {string} wanted */
export function choose(wanted) {
  language = known(wanted) ?? "en";
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  translatePage();
  document.dispatchEvent(new Event("language"));
}

function known(name) {
  return name in WORDS ? name : undefined;
}

function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
