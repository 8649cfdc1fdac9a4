import { defineConfig } from 'vite'
import { emojiLists } from './emoji.ts'

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses, resolved by the page's <base>: the same build serves every path.
  base: './',
  plugins: [emojiLists()],
  resolve: { conditions: ['@tidelog/source', 'module', 'browser', 'production'] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2024',
    assetsInlineLimit: 0, // The Content-Security-Policy admits no data: addresses.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: { app: 'index.html' },
      output: {
        // What the first page needs is one file: each further one would cost a round trip on a slow line.
        codeSplitting: { groups: [{ name: 'app', tags: ['$initial'] }] },
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: chunk =>
          `assets/${chunk.moduleIds.some(id => id.includes('virtual:emoji')) ? 'emoji-' : ''}[name]-[hash].js`,
        assetFileNames: 'assets/[name]-[hash][extname]'
      }
    }
  }
})
