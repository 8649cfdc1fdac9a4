// Loaded before every test (.taprc): repeats a property's run by TIDELOG_SEED, and one case of it by TIDELOG_PATH too.
const { TIDELOG_SEED: seed, TIDELOG_PATH: path } = process.env
if (seed) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ seed: Number(seed), ...(path ? { path } : {}) })
}
