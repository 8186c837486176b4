// What every reply passes through before a user reads it: help first where the message is an emergency, no diagnosis, no
// prescription, no dose, plain text, no longer than fits.
//
// The rules are the worker's (maxnutrition.prompts), exported to guard.json as regular expressions on folded text, the
// advice and the words that stand instead of a sentence. This applies them with the same results; vectors that both sides
// are tested with say so.

import { fold, lengthOf, visible } from "./text.ts";

const PATTERNS = [
  ...["life", "body", "denied", "sentence", "diagnosis", "open", "not_saying", "physiology", "prescription"],
  ...["with_help", "dose", "suggestions", "markdown_link", "tag", "url", "domain", "heading", "rule", "bullet"],
  ...["strong", "blanks", "blanks_before", "blank_lines", "sentence_end", "spaces", "gaps"],
] as const;

/** guard.json. */
export interface Rules {
  patterns: Record<string, string>;
  advice: Record<Emergency, string>;
  instead: string;
  limits: { reply: number; suggestions: number; suggestion: number };
  escapes: Record<string, string>;
}

export type Emergency = "body" | "life";
export type RedLine = "diagnosis" | "prescription" | "dose";

export interface Reply {
  text: string;
  suggestions: string[];
  /** For the log: what was taken away, without its words. */
  crossed: RedLine[];
}

export class Guard {
  readonly #patterns: Record<string, RegExp>;

  /** Raises a SyntaxError where a rule is missing: it would otherwise hold everything or nothing. */
  constructor(readonly rules: Rules) {
    this.#patterns = Object.fromEntries(PATTERNS.map((name) => {
      const source = rules.patterns[name];
      if (source === undefined) {
        throw new SyntaxError(`there is no pattern ${name}`);
      }
      return [name, new RegExp(source, "gu")];
    }));
  }

  /** A danger to life comes first. */
  emergencyIn(message: string): Emergency | null {
    const folded = fold(message).replace(this.#of("spaces"), " ");
    if (this.#isIn("life", folded)) {
      return "life";
    }
    const found = Array.from(folded.matchAll(this.#of("body")));
    return found.some(({ index }) => !this.#isIn("denied", folded.slice(0, index))) ? "body" : null;
  }

  lineCrossedBy(sentence: string): RedLine | null {
    const folded = this.strip(fold(sentence).replace(this.#of("gaps"), " "));
    const treating = folded.replace(this.#of("physiology"), "");
    if (this.#isIn("dose", treating)) {
      return "dose";
    }
    if (this.#isIn("prescription", treating) && !this.#isIn("with_help", treating)) {
      return "prescription";
    }
    const isDiagnosis = this.#isIn("diagnosis", folded) && !this.#isIn("open", folded) &&
      !this.#isIn("not_saying", folded);
    return isDiagnosis ? "diagnosis" : null;
  }

  /** `text` without the sentences that cross a line; one sentence says once what to do instead. */
  hold(text: string): { text: string; crossed: RedLine[] } {
    const kept: string[] = [];
    const crossed: RedLine[] = [];
    for (const [sentence] of text.matchAll(this.#of("sentence"))) {
      const line = this.lineCrossedBy(sentence);
      if (line === null) {
        kept.push(sentence);
        continue;
      }
      if (crossed.length === 0) {
        kept.push(this.rules.instead + (sentence.slice(this.#stripEnd(sentence).length) || " "));
      }
      crossed.push(line);
    }
    return { text: crossed.length > 0 ? this.strip(kept.join("")) : text, crossed };
  }

  /** The reply to keep. Its last line may say "Sugestões: one | another"; what a model gave apart from it comes before. */
  finish(emergency: Emergency | null, written: string, apart: readonly string[] = []): Reply {
    const [body, line] = this.#withoutSuggestions(written);
    const held = this.hold(this.plain(body));
    const text = this.strip(`${this.adviceFor(emergency)}\n\n${held.text || this.rules.instead}`);
    const { limits } = this.rules;
    const suggestions = (apart.length > 0 ? apart.join("\n") : line).split(/[|\n]/)
      .map((part) => this.plain(part.replace(/^[ .\-•*"']+|[ .\-•*"']+$/g, "")))
      .filter((part) => part !== "" && this.hold(part).crossed.length === 0)
      .filter((part) => lengthOf(part) <= limits.suggestion)
      .slice(0, limits.suggestions);
    return { text: this.shorten(text, limits.reply), suggestions, crossed: held.crossed };
  }

  adviceFor(emergency: Emergency | null): string {
    return emergency === null ? "" : this.rules.advice[emergency];
  }

  /** No markup at all, no links. */
  plain(text: string): string {
    const unlinked = visible(text.replaceAll("\r\n", "\n"))
      .replace(this.#of("markdown_link"), "$1")
      .replace(this.#of("tag"), "")
      .replace(this.#of("url"), "")
      .replace(this.#of("domain"), "")
      .replace(this.#of("heading"), "")
      .replace(this.#of("rule"), "")
      .replace(this.#of("bullet"), "$1• ");
    const bare = unlinked.replace(this.#of("strong"), "$2").replaceAll("*", "").replaceAll("`", "");
    const tidy = bare.replace(this.#of("blanks"), " ").replace(this.#of("blanks_before"), "");
    return this.strip(tidy.replace(this.#of("blank_lines"), "\n\n"));
  }

  /** At most `limit` signs: up to the last whole sentence, or the last whole word and an ellipsis. */
  shorten(text: string, limit: number): string {
    const signs = [...text];
    if (signs.length <= limit) {
      return text;
    }
    const head = signs.slice(0, limit).join("");
    const ends = Array.from(head.matchAll(this.#of("sentence_end")), (found) => found.index + found[0].length)
      .filter((end) => end < head.length || this.#isIn("spaces", signs[limit] ?? ""));
    const end = ends.at(-1);
    if (end !== undefined && lengthOf(head.slice(0, end)) >= Math.floor(limit / 2)) {
      return head.slice(0, end);
    }
    const words = this.#stripEnd(signs.slice(0, limit - 1).join(""));
    const gap = Array.from(words.matchAll(this.#of("spaces"))).at(-1);
    const whole = gap === undefined ? words : words.slice(0, gap.index);
    return `${whole || this.strip(words)}…`;
  }

  /** `text` as data called `name`, whose border cannot be written from inside; `name` is ours. */
  fence(name: string, text: string): string {
    const shown = this.strip(visible(text.normalize("NFC")).replace(/\n{3,}/g, "\n\n"));
    const escaped = Array.from(shown, (sign) => this.rules.escapes[sign] ?? sign).join("");
    return `<dados nome="${name}">\n${escaped}\n</dados>`;
  }

  strip(text: string): string {
    const stripped = this.#stripEnd(text);
    const start = stripped.matchAll(this.#of("spaces")).next().value;
    return start?.index === 0 ? stripped.slice(start[0].length) : stripped;
  }

  #stripEnd(text: string): string {
    let end = text.length;
    while (end > 0 && this.#isIn("spaces", text.charAt(end - 1))) {
      end -= 1;
    }
    return text.slice(0, end);
  }

  #withoutSuggestions(written: string): [string, string] {
    const found = written.matchAll(this.#of("suggestions")).next().value;
    return found === undefined ? [written, ""] : [written.slice(0, found.index), found[1] ?? ""];
  }

  #isIn(name: (typeof PATTERNS)[number], text: string): boolean {
    return text.search(this.#of(name)) >= 0;
  }

  #of(name: (typeof PATTERNS)[number]): RegExp {
    return this.#patterns[name] as RegExp;
  }
}

/** The rules come along with the function as one of its `static_files`. */
export async function loadGuard(): Promise<Guard> {
  return new Guard(JSON.parse(await Deno.readTextFile(new URL("./guard.json", import.meta.url))));
}
