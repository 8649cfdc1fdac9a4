// Loaded before every test (.taprc): TIDELOG_SEED repeats a property's run, with TIDELOG_PATH one case of it.
const { TIDELOG_SEED: seed, TIDELOG_PATH: path } = process.env
if (seed) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ seed: Number(seed), ...(path ? { path } : {}) })
}
