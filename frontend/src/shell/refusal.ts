import { gettext } from "../i18n";

/** The sentence for people in a refused answer: the API's JSON, or the text of an error fragment. */
export function refusal(answer: string, contentType: string): string {
  if (contentType.includes("json")) {
    const { detail } = JSON.parse(answer) as { detail?: unknown };
    if (typeof detail === "string" && detail) return detail;
  } else if (contentType.includes("html") && !/^\s*<!doctype/i.test(answer)) {
    const text = new DOMParser().parseFromString(answer, "text/html").body.textContent?.replace(/\s+/g, " ").trim();
    if (text) return text;
  }
  return gettext("This did not work. Please try again.");
}
