import { beforeEach, describe, expect, test } from "vitest";
import { prepareConfirmations, startConfirmWords } from "../src/components/confirm-word";
import { moveFocus } from "../src/components/menu";
import { interpolate, ngettext } from "../src/i18n";
import { refusal } from "../src/shell/refusal";
import { markSection } from "../src/shell/side-menu";
import { formatDuration, formatSize, SpeedMeter } from "../src/uploader/speed";

beforeEach(() => {
  document.body.innerHTML = "";
});

describe("a typed confirmation", () => {
  startConfirmWords();

  function form(): { field: HTMLInputElement; button: HTMLButtonElement; type: (word: string) => void } {
    document.body.innerHTML = `<dialog open>
      <form id="f" data-confirm-word="DELETE"><input name="confirmation"></form>
      <button type="submit" form="f">Delete</button><button type="button">Cancel</button></dialog>`;
    prepareConfirmations(document);
    const field = document.querySelector("input") as HTMLInputElement;
    const type = (word: string): void => {
      field.value = word;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    return { field, button: document.querySelector("[form=f]") as HTMLButtonElement, type };
  }

  test("enables the button, even one outside the form, for exactly the word", () => {
    const { button, type } = form();
    expect(button.disabled).toBe(true);
    for (const [word, disabled] of [
      ["delete", true],
      ["DELETE ", true],
      [" DELETE", true],
      ["DELETE", false],
      ["DELETED", true],
    ] as const) {
      type(word);
      expect(button.disabled, word).toBe(disabled);
    }
  });

  test("keeps Enter from sending the form with another word", () => {
    const { field, type } = form();
    const submit = (): boolean =>
      (field.form as HTMLFormElement).dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    type("delet");
    expect(submit()).toBe(false);
    type("DELETE");
    expect(submit()).toBe(true);
  });
});

test("arrow keys go round the menu and skip what is disabled", () => {
  document.body.innerHTML = `<div id="m"><a role="menuitem" href="#" id="a">A</a>
    <button role="menuitem" disabled>B</button><button role="menuitem" id="c">C</button></div>`;
  const menu = document.getElementById("m") as HTMLElement;
  const walk = ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Home", "End"].map((key) => {
    expect(moveFocus(menu, key)).toBe(true);
    return document.activeElement?.id;
  });
  expect(walk).toEqual(["a", "c", "a", "c", "a", "c"]);
  expect(moveFocus(menu, "x")).toBe(false);
});

test("the menu item with the longest matching path is the current one", () => {
  document.body.innerHTML = `<a class="sidemenu-link" data-section="/data/">A</a>
    <a class="sidemenu-link" data-section="/data/sets/">B</a><main id="main"><i data-page-section="/data/sets/7/"></i></main>`;
  markSection();
  expect([...document.querySelectorAll("a")].map((link) => link.getAttribute("aria-current"))).toEqual([null, "page"]);
});

test("a refusal is told in the server's words where there are any", () => {
  expect(refusal('{"code": "quota_exceeded", "detail": "Storage is full."}', "application/json")).toBe(
    "Storage is full.",
  );
  expect(refusal('<div class="note">\n <p>Not  now.</p></div>', "text/html; charset=utf-8")).toBe("Not now.");
  expect(refusal("<!doctype html><p>Traceback", "text/html")).toBe("This did not work. Please try again.");
});

test("sizes and durations read as the server writes them", () => {
  expect([0, 522_557, 23_278_387, 257_687_552, 2 ** 40].map(formatSize)).toEqual([
    "0 KB",
    "510.31 KB",
    "22.2 MB",
    "245.75 MB",
    "1 TB",
  ]);
  expect([0.2, 5, 61, 7800].map(formatDuration)).toEqual(["1 sec", "5 secs", "1 min", "2 h 10 min"]);
  expect(interpolate(ngettext("%(n)s item", "%(n)s items", 2), { n: 2 })).toBe("2 items");
});

test("the speed is that of the last ten seconds", () => {
  const meter = new SpeedMeter();
  expect(meter.bytesPerSecond).toBeUndefined();
  for (let second = 0; second <= 30; second++)
    meter.note(second < 15 ? second * 1000 : 15_000 + (second - 15) * 100, second * 1000);
  expect(meter.bytesPerSecond).toBe(100);
});
