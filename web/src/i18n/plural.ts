type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

/** Chooses a plural form by the language's rules and puts the number, formatted, in the place of `#`. */
export function counter (language: string): (n: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  return (n, forms) => (forms[rules.select(n)] ?? forms.other).replace('#', numbers.format(n))
}

/** "Ada", "Ada and Bob", "Ada, Bob and 2 others" need the language's own list words. */
export function lister (language: string): (names: string[]) => string {
  const list = new Intl.ListFormat(language)
  return names => list.format(names)
}
