/**
 * Django's own JavaScript catalogue, where the page brings one; English, as written in the source, otherwise.
 * `makemessages -d djangojs -e ts` finds the calls.
 */
interface Catalogue {
  gettext(text: string): string;
  ngettext(one: string, many: string, count: number): string;
}

const catalogue = (): Catalogue | undefined => (globalThis as { django?: Catalogue }).django;

export function gettext(text: string): string {
  return catalogue()?.gettext(text) ?? text;
}

export function ngettext(one: string, many: string, count: number): string {
  return catalogue()?.ngettext(one, many, count) ?? (count === 1 ? one : many);
}

/** Fills `%(name)s` places; an unknown name stays as it is. */
export function interpolate(text: string, values: Record<string, string | number>): string {
  return text.replace(/%\((\w+)\)s/g, (place, name: string) => (name in values ? String(values[name]) : place));
}
