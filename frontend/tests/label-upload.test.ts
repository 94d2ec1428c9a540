import { expect, test } from "vitest";
import { guess, parse, startLabelUpload } from "../src/components/label-upload";

const NAMES = new Map([
  ["image", new Set(["image", "filename"])],
  ["label", new Set(["label", "class"])],
  ["labels", new Set<string>()],
  ["value", new Set(["value"])],
]);

test("rows of a CSV are read with quotes, line ends of every kind and a byte order mark", () => {
  expect(parse('\uFEFFImage,"La ""bel"", too"\r\na.png,"two\nlines"\n\nb.png,x\rc.png,cut')).toEqual([
    ["Image", 'La "bel", too'],
    ["a.png", "two\nlines"],
    ["b.png", "x"],
  ]);
  expect(parse("only,a header")).toEqual([["only", "a header"]]);
  expect(parse("")).toEqual([]);
});

test("columns are told by their names", () => {
  expect(guess(["File Name", "Class", "note"], NAMES)).toEqual(
    new Map([
      ["image", ["File Name"]],
      ["label", ["Class"]],
    ]),
  );
});

test("without a label column the columns left over may be labels", () => {
  expect(guess(["image", "Effusion", "Nodule"], NAMES).get("labels")).toEqual(["Effusion", "Nodule"]);
  expect(guess(["a.png", "Normal"], NAMES).has("image")).toBe(false);
});

test("a chosen CSV with a header asks for its columns, another file does not", async () => {
  document.body.innerHTML = `<form><input type="file" data-label-file>
    <fieldset data-label-columns hidden disabled>
      <select data-column="image" data-names="image"></select><select data-column="label" data-names="label"></select>
    </fieldset></form>`;
  startLabelUpload();
  const field = document.querySelector("input") as HTMLInputElement;
  const columns = document.querySelector("fieldset") as HTMLFieldSetElement;
  const choose = async (name: string, text: string) => {
    Object.defineProperty(field, "files", { value: [new File([text], name)], configurable: true });
    field.dispatchEvent(new Event("change", { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await choose("a.csv", "image,label\na.png,x\n");
  expect(columns.disabled).toBe(false);
  expect([...columns.querySelectorAll("select")].map((select) => select.value)).toEqual(["image", "label"]);
  await choose("b.csv", "a.png,x\n");
  expect(columns.hidden && columns.disabled).toBe(true);
  await choose("c.json", '{"image": 1}');
  expect(columns.hidden).toBe(true);
});
