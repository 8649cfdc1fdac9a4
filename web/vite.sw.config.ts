import { defineConfig } from 'vite'

/** The service worker: one file without imports, because not every browser takes a module for one. */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  resolve: { conditions: ['@tidelog/source', 'module', 'browser', 'production'] },
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2024',
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { sw: 'sw/sw.ts' },
      output: { format: 'iife', entryFileNames: 'sw.js' }
    }
  }
})
