/** What a person chose for this browser. Where storage is forbidden nothing is remembered, and nothing breaks. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`deepcap.${key}`);
    else localStorage.setItem(`deepcap.${key}`, value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`deepcap.${key}`);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return null;
  }
}
