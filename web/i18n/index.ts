import { en } from './en.ts'
import type { Words } from './en.ts'
import { ja } from './ja.ts'

export type Language = 'en' | 'ja'

const words: Readonly<Record<Language, Words>> = { en, ja }
let language: Language = 'en'

/** The language that was chosen before, or the browser's. */
export const preferredLanguage = (stored: string | null, browser: string): Language =>
  stored === 'en' || stored === 'ja' ? stored : browser.toLowerCase().startsWith('ja') ? 'ja' : 'en'

export function setLanguage(next: Language): void {
  language = next
}

export const currentLanguage = (): Language => language

/** What the page says, in the present language. */
export const t = (key: keyof Words): string => words[language][key]
